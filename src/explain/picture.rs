//! The picture of section 5.2 with the bits of one frame in it, two columns a bit.

use std::fmt::Write;

use super::fields::hex;
use crate::wire::dissect::Frame;

/// Octets of payload that are drawn at least, if they are there.
const PAYLOAD_MIN: usize = 4;

/// Bits side by side that fit a line of `width` columns: 32 as in the RFC, else 16 or 8.
#[must_use]
pub fn bits_in(width: usize) -> usize {
    [32, 16].into_iter().find(|bits| 2 * bits < width).unwrap_or(8)
}

/// A run of bits that belong together.
struct Cell {
    start: usize,
    end: usize,
    label: Label,
}

enum Label {
    Text(String),
    /// Long fields have their octets beside their name, for each row that they run through.
    Octets(&'static str),
}

/// The header and the first octets of the payload, as they are on the wire, `bits` to a row.
#[must_use]
pub fn picture(frame: &Frame, bits: usize) -> String {
    let header = frame.header.bytes();
    let payload = wire_payload(frame, header.len(), bits / 8);
    let octets = [header, &payload].concat();
    let cells = cells(frame, &payload);
    let mut out = ruler(bits);
    for (row, part) in octets.chunks(bits / 8).enumerate() {
        let start = row * bits;
        out.push_str(&border(&cells, start, start + 8 * part.len(), bits));
        out.push_str(&row_of_bits(&cells, start, part));
        out.push_str(&row_of_labels(&cells, start, part));
    }
    let start = octets.len().div_ceil(bits / 8) * bits;
    out.push_str(&border(&cells, start, start, bits));
    out
}

/// The first octets of the payload as they were sent, up to the end of a row.
fn wire_payload(frame: &Frame, header: usize, row: usize) -> Vec<u8> {
    let count = (header + PAYLOAD_MIN).next_multiple_of(row) - header;
    let key = frame.header.key().unwrap_or_default();
    let masked = frame.payload.iter().zip(key.iter().cycle()).map(|(octet, key)| octet ^ key);
    masked.take(count).collect()
}

fn cells(frame: &Frame, payload: &[u8]) -> Vec<Cell> {
    const NAMES: [(&str, usize); 7] =
        [("F", 1), ("R", 1), ("R", 1), ("R", 1), ("opcode", 4), ("M", 1), ("Payload len", 7)];
    let mut cells = Vec::new();
    let mut start = 0;
    let mut push = |size: usize, label: Label| {
        cells.push(Cell { start, end: start + size, label });
        start += size;
    };
    let header = &frame.header;
    let known = if header.mask().is_some() { 7 } else { 5 };
    NAMES.into_iter().take(known).for_each(|(name, size)| push(size, Label::Text(name.to_owned())));
    push(8 * header.extended().len(), Label::Octets("Extended length"));
    push(8 * header.key_bytes().len(), Label::Octets("Masking-key"));
    for (wire, plain) in payload.iter().zip(&frame.payload) {
        let printable_char = printable_char(*plain);
        push(
            8,
            Label::Text(match header.key() {
                Some(_) => format!("{wire:02x}: {plain:02x}{printable_char}"),
                None => format!("{plain:02x}{printable_char}"),
            }),
        );
    }
    cells.retain(|cell| cell.start < cell.end);
    cells
}

/// The character that an octet is, if it is one that can be seen.
#[must_use]
pub(super) fn printable_char(octet: u8) -> String {
    if octet.is_ascii_graphic() || octet == b' ' {
        format!(" '{}'", char::from(octet))
    } else {
        String::new()
    }
}

fn ruler(bits: usize) -> String {
    let tens =
        |bit: usize| if bit.is_multiple_of(10) { (bit / 10).to_string() } else { " ".to_owned() };
    let tens: String = (0..bits).map(|bit| format!(" {}", tens(bit))).collect();
    let ones: String = (0..bits).map(|bit| format!(" {}", bit % 10)).collect();
    format!("{}\n{ones}\n", tens.trim_end())
}

fn is_edge(cells: &[Cell], bit: usize) -> bool {
    cells.iter().any(|cell| cell.start == bit || cell.end == bit)
}

/// The line above the row from `start` to `end`, and below the one before it.
fn border(cells: &[Cell], start: usize, end: usize, bits: usize) -> String {
    let last = cells.last().map_or(0, |cell| cell.end);
    let above = start.checked_sub(bits);
    let above_width = above.map_or(0, |above| bits.min(last.saturating_sub(above)));
    let width = above_width.max(end.saturating_sub(start));
    let mut line = String::new();
    for place in 0..=width {
        let below = place <= end - start && is_edge(cells, start + place) && start < end;
        let above =
            above.is_some_and(|above| place <= above_width && is_edge(cells, above + place));
        let is_end = place == 0 || place == width;
        line.push(if below || above || is_end { '+' } else { '-' });
        line.push('-');
    }
    line.pop();
    line.push('\n');
    line
}

fn row_of_bits(cells: &[Cell], start: usize, octets: &[u8]) -> String {
    let mut line = String::new();
    let bits = octets.iter().flat_map(|octet| (0..8).rev().map(move |place| octet >> place & 1));
    for (place, bit) in bits.enumerate() {
        let is_edge = place == 0 || is_edge(cells, start + place);
        let _ = write!(line, "{}{bit}", if is_edge { '|' } else { ' ' }); // a String takes everything
    }
    line.push_str("|\n");
    line
}

fn row_of_labels(cells: &[Cell], start: usize, octets: &[u8]) -> String {
    let end = start + 8 * octets.len();
    let mut line = String::new();
    for cell in cells.iter().filter(|cell| cell.start < end && start < cell.end) {
        let (from, to) = (cell.start.max(start), cell.end.min(end));
        let width = 2 * (to - from) - 1;
        let label = match &cell.label {
            Label::Text(text) => text.clone(),
            Label::Octets(name) => {
                let part = octets.get((from - start) / 8..(to - start) / 8).unwrap_or_default();
                let octets = hex(part, " ");
                if name.len() + octets.len() < width { format!("{name} {octets}") } else { octets }
            }
        };
        let label: String = label.chars().take(width).collect();
        let _ = write!(line, "|{label:^width$}"); // as above
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
    fn s5_7_hello_of_a_client() {
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
    fn it_fits_the_width_however_much_came() {
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
