//! Masking, section 5.3. Applying the same key twice restores the payload.

/// Masks or unmasks `payload` in place: byte i of the result is byte i XOR byte i mod 4 of the key.
///
/// `payload` may be a later part of a frame's payload; `phase` is the number of bytes before it. The loop
/// takes eight bytes at a time, in a form that the compiler turns into vector instructions.
pub fn apply(mut key: [u8; 4], phase: usize, payload: &mut [u8]) {
    key.rotate_left(phase % 4);
    let [a, b, c, d] = key;
    let twice = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);

    let (words, tail) = payload.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ twice).to_ne_bytes();
    }
    for (byte, k) in tail.iter_mut().zip(key.iter().cycle()) {
        *byte ^= k;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The algorithm as section 5.3 writes it: the oracle of the fast one.
    fn plain(key: [u8; 4], phase: usize, payload: &mut [u8]) {
        for (i, byte) in payload.iter_mut().enumerate() {
            *byte ^= key[(phase + i) % 4];
        }
    }

    #[test]
    fn s5_7_hello_masked() {
        let mut payload = *b"Hello";
        apply([0x37, 0xfa, 0x21, 0x3d], 0, &mut payload);
        assert_eq!(payload, [0x7f, 0x9f, 0x4d, 0x51, 0x58]);
    }

    #[test]
    fn s5_3_any_key_is_legal() {
        for key in [[0; 4], [0xff; 4], [1, 2, 3, 4]] {
            for length in 0..=40 {
                let mut fast = vec![0xa5; length];
                let mut slow = fast.clone();
                apply(key, 0, &mut fast);
                plain(key, 0, &mut slow);
                assert_eq!(fast, slow);
            }
        }
    }

    proptest! {
        #[test]
        fn s5_3_any_cut_gives_the_same_bytes(
            key: [u8; 4],
            payload in prop::collection::vec(any::<u8>(), 0..300),
            cuts in prop::collection::vec(0usize..300, 0..6),
        ) {
            let mut whole = payload.clone();
            plain(key, 0, &mut whole);

            let mut parts = payload;
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(parts.len())).collect();
            cuts.extend([0, parts.len()]);
            cuts.sort_unstable();
            for pair in cuts.windows(2) {
                apply(key, pair[0], &mut parts[pair[0]..pair[1]]);
            }
            prop_assert_eq!(parts, whole);
        }
    }
}
