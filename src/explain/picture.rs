//! The figure of section 5.2 with the bits of one frame, two columns a bit.

use std::fmt::Write;

use super::hex;
use super::text::printable_char;
use crate::wire::dissect::Frame;

/// At least this many bytes of payload are drawn, if they were received.
const PAYLOAD_MIN: usize = 4;

/// The bits of a row that fits `width` columns: 32 as in the RFC, or 16, or 8.
pub fn bits_in(width: usize) -> usize {
    [32, 16].into_iter().find(|bits| 2 * bits < width).unwrap_or(8)
}

/// Adjacent bits with one label.
struct Cell {
    start: usize,
    end: usize,
    label: Label,
}

enum Label {
    Text(String),
    /// The name of a long field; each row shows its own bytes of the field beside the name.
    Bytes(&'static str),
}

/// The header and the first bytes of the payload, as they were on the wire, `bits` to a row.
pub fn picture(frame: &Frame, bits: usize) -> String {
    let header = frame.header.bytes();
    let row_bytes = bits / 8;
    let drawn = (header.len() + PAYLOAD_MIN).next_multiple_of(row_bytes) - header.len();
    let payload = frame.wire_payload(drawn);
    let bytes = [header, &payload].concat();
    let cells = cells(frame, &payload);
    let mut out = ruler(bits);
    for (row, part) in bytes.chunks(row_bytes).enumerate() {
        let start = row * bits;
        out.push_str(&border(&cells, start, bits));
        out.push_str(&row_of_bits(&cells, start, part));
        out.push_str(&row_of_labels(&cells, start, part));
    }
    let start = bytes.len().div_ceil(row_bytes) * bits;
    out + &border(&cells, start, bits)
}

fn cells(frame: &Frame, payload: &[u8]) -> Vec<Cell> {
    const NAMES: [(&str, usize); 7] =
        [("F", 1), ("R", 1), ("R", 1), ("R", 1), ("opcode", 4), ("M", 1), ("Payload len", 7)];
    let header = &frame.header;
    let received = if header.mask().is_some() { 7 } else { 5 };
    let names = NAMES.into_iter().take(received);
    let mut labels: Vec<_> =
        names.map(|(name, size)| (size, Label::Text(name.to_owned()))).collect();
    labels.push((8 * header.extended().len(), Label::Bytes("Extended length")));
    labels.push((8 * header.key_bytes().len(), Label::Bytes("Masking-key")));
    labels.extend(payload.iter().zip(&frame.payload).map(|(wire, plain)| {
        let plain = format!("{plain:02x}{}", printable_char(*plain));
        let is_masked = header.key().is_some();
        (8, Label::Text(if is_masked { format!("{wire:02x}: {plain}") } else { plain }))
    }));
    let mut end = 0;
    let cells = labels.into_iter().filter(|(size, _)| *size != 0).map(|(size, label)| {
        let start = end;
        end += size;
        Cell { start, end, label }
    });
    cells.collect()
}

fn ruler(bits: usize) -> String {
    let tens: String = (0..bits).step_by(10).map(|bit| format!(" {:<19}", bit / 10)).collect();
    let ones: String = (0..bits).map(|bit| format!(" {}", bit % 10)).collect();
    format!("{}\n{ones}\n", tens.trim_end())
}

fn is_edge(cells: &[Cell], bit: usize) -> bool {
    cells.iter().any(|cell| cell.start == bit || cell.end == bit)
}

/// The line above the row that begins with bit `start`, which is also the line below the row before. An
/// edge of either row is a `+`.
fn border(cells: &[Cell], start: usize, bits: usize) -> String {
    let last = cells.last().map_or(0, |cell| cell.end);
    let (row_below, row_above) = (Some(start), start.checked_sub(bits));
    let rows = [row_below, row_above].into_iter().flatten();
    let width = rows.clone().map(|row| bits.min(last.saturating_sub(row))).max();
    let is_end = |place| place == 0 || Some(place) == width;
    let mut line = String::new();
    for place in 0..=width.unwrap_or_default() {
        let is_edge = rows.clone().any(|row| is_edge(cells, row + place));
        line.push_str(if is_edge || is_end(place) { "+-" } else { "--" });
    }
    line.pop();
    line + "\n"
}

fn row_of_bits(cells: &[Cell], start: usize, bytes: &[u8]) -> String {
    let mut line = String::new();
    let bits = bytes.iter().flat_map(|byte| (0..8).rev().map(move |place| byte >> place & 1));
    for (place, bit) in bits.enumerate() {
        let is_edge = place == 0 || is_edge(cells, start + place);
        let _ = write!(line, "{}{bit}", if is_edge { '|' } else { ' ' }); // cannot fail
    }
    line.push_str("|\n");
    line
}

fn row_of_labels(cells: &[Cell], start: usize, bytes: &[u8]) -> String {
    let end = start + 8 * bytes.len();
    let mut line = String::new();
    for cell in cells.iter().filter(|cell| cell.start < end && start < cell.end) {
        let (from, to) = (cell.start.max(start), cell.end.min(end));
        let width = 2 * (to - from) - 1;
        let label = match &cell.label {
            Label::Text(text) => text.clone(),
            Label::Bytes(name) => {
                let part = bytes.get((from - start) / 8..(to - start) / 8).unwrap_or_default();
                let digits = hex::encode(part, " ");
                if name.len() + digits.len() < width { format!("{name} {digits}") } else { digits }
            }
        };
        let label: String = label.chars().take(width).collect();
        let _ = write!(line, "|{label:^width$}"); // cannot fail
    }
    line.push_str("|\n");
    line
}

#[cfg(test)]
mod tests {
    use super::super::tests::frame;
    use super::*;

    const HELLO: [u8; 11] = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];

    #[test]
    fn s5_7_the_masked_hello() {
        let drawn = picture(&frame(&HELLO), 32);
        let expected = "
 0                   1                   2                   3
 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
+-+-+-+-+-------+-+-------------+-------------------------------+
|1|0|0|0|0 0 0 1|1|0 0 0 0 1 0 1|0 0 1 1 0 1 1 1 1 1 1 1 1 0 1 0|
|F|R|R|R|opcode |M| Payload len |       Masking-key 37 fa       |
+-+-+-+-+-------+-+-------------+---------------+---------------+
|0 0 1 0 0 0 0 1 0 0 1 1 1 1 0 1|0 1 1 1 1 1 1 1|1 0 0 1 1 1 1 1|
|       Masking-key 21 3d       |  7f: 48 'H'   |  9f: 65 'e'   |
+---------------+---------------+---------------+---------------+
|0 1 0 0 1 1 0 1|0 1 0 1 0 0 0 1|0 1 0 1 1 0 0 0|
|  4d: 6c 'l'   |  51: 6c 'l'   |  58: 6f 'o'   |
+---------------+---------------+---------------+
";
        assert_eq!(drawn, expected.trim_start_matches('\n'));
    }

    #[test]
    fn it_fits_the_width_for_every_prefix_of_a_frame() {
        for (width, bits) in [(0, 8), (32, 8), (33, 16), (40, 16), (64, 16), (65, 32), (200, 32)] {
            assert_eq!(bits_in(width), bits);
        }
        let wire = [&[0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4][..], &[7; 99]].concat();
        for wire in [&wire[..], &HELLO] {
            for end in 1..=wire.len() {
                for bits in [8, 16, 32] {
                    let drawn = picture(&frame(&wire[..end]), bits);
                    assert!(drawn.lines().all(|line| line.len() <= 2 * bits + 1), "{drawn}");
                    let rows = drawn.lines().filter(|line| line.starts_with('|')).count();
                    assert_eq!(rows % 2, 0);
                    assert!(drawn.ends_with("-+\n"), "{drawn}");
                }
            }
        }
    }
}
