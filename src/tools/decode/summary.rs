//! A stream in numbers: the sizes and kinds of its frames, and the rules they break. Memory does not
//! grow with the stream.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::explain::finding::{Finding, findings};
use crate::explain::handshake_text::CheckedHead;
use crate::explain::json::{JsonObject, list};
use crate::explain::names;
use crate::explain::view::{Tone, View};
use crate::wire::dissect::Frame;
use crate::wire::frame::{Opcode, Role};

/// Totals of frames or messages of one kind.
#[derive(Clone, Copy, Default)]
struct Count {
    number: u64,
    bytes: u64,
    largest: u64,
}

/// A broken rule, how often, and at which byte first.
struct BrokenRule {
    finding: Finding,
    count: u64,
    first: u64,
}

/// The totals of a stream.
#[derive(Default)]
pub(super) struct Summary {
    sender: Option<Role>,
    /// By the bits of the opcode.
    opcodes: BTreeMap<u8, Count>,
    masked: u64,
    without_fin: u64,
    /// By the bytes of the extended length: 0, 2, 8.
    length_forms: [u64; 3],
    messages: Count,
    broken: Vec<BrokenRule>,
    heads: u64,
    wrong_heads: u64,
    missing: u64,
    /// Whether the stream ends inside a message.
    pub(super) is_unfinished: bool,
}

impl Summary {
    /// Counts a head of the handshake.
    pub(super) fn head(&mut self, head: &CheckedHead) {
        self.heads += 1;
        self.wrong_heads += u64::from(!head.conforms());
    }

    /// Counts a frame.
    pub(super) fn frame(&mut self, frame: &Frame) {
        let header = &frame.header;
        self.sender = Some(frame.sender);
        self.opcodes.entry(header.opcode_bits()).or_default().add(frame.arrived);
        self.masked += u64::from(header.mask() == Some(true));
        self.without_fin += u64::from(!header.fin());
        for (count, size) in self.length_forms.iter_mut().zip([0, 2, 8]) {
            *count += u64::from(header.length_7().is_some() && size == header.extended_size());
        }
        self.missing = frame.missing();
        if let Some(message) = &frame.message {
            self.messages.add(message.length);
        }
        findings(frame).into_iter().for_each(|finding| self.add(finding, frame.offset));
    }

    fn add(&mut self, finding: Finding, first: u64) {
        match self.broken.iter_mut().find(|broken| broken.finding == finding) {
            Some(broken) => broken.count += 1,
            None => self.broken.push(BrokenRule { finding, count: 1, first }),
        }
    }

    /// The number of frames.
    pub(super) fn frames(&self) -> u64 {
        self.opcodes.values().map(|count| count.number).sum()
    }

    /// Whether the stream meets every rule.
    pub(super) fn conforms(&self) -> bool {
        self.broken.is_empty() && self.wrong_heads == 0
    }

    /// The opcodes that occur, by name.
    fn opcodes(&self) -> impl Iterator<Item = (String, &Count)> {
        self.opcodes.iter().map(|(bits, count)| {
            let known = Opcode::ALL.into_iter().find(|opcode| *opcode as u8 == *bits);
            let name =
                known.map_or(format!("reserved 0x{bits:x}"), |known| known.name().to_owned());
            (name, count)
        })
    }

    /// The totals as text, for a stream of `bytes` bytes.
    pub(super) fn text(&self, bytes: u64, view: View) -> String {
        let from = self.sender.map(|sender| format!(" from a {}", names::role(sender)));
        let heading = format!("{bytes} bytes{}", from.unwrap_or_default());
        let mut out = view.paint(Tone::Heading, &heading) + "\n";
        // Rows of at most 39 columns if the numbers have up to eight digits. Writing cannot fail.
        let _ = writeln!(out, "{:<12}{:>9}{:>9}{:>9}", "opcode", "frames", "bytes", "largest");
        for (name, Count { number, bytes, largest }) in self.opcodes() {
            let _ = writeln!(out, "{name:<12}{number:>9} {bytes:>8} {largest:>8}");
        }
        let Self { masked, without_fin, missing, heads, wrong_heads, .. } = self;
        let [seven, sixteen, sixty_four] = self.length_forms;
        let Count { number, largest, .. } = self.messages;
        let lines = [
            (true, format!("masked: {masked}; without FIN: {without_fin}")),
            (true, format!("length in 7 bits: {seven}, 16 bits: {sixteen}, 64 bits: {sixty_four}")),
            (true, format!("messages: {number}, the largest {largest} bytes")),
            (*missing != 0, format!("the last frame is incomplete: {missing} bytes missing")),
            (self.is_unfinished, "the last message is incomplete".to_owned()),
            (*heads != 0, format!("handshake heads: {heads}, wrong: {wrong_heads}")),
        ];
        let lines = lines.iter().filter(|(is_shown, _)| *is_shown);
        out.extend(lines.map(|(_, line)| view.wrap(line, 0)));
        out.extend(self.broken.iter().map(|broken| broken.text(view)));
        if self.conforms() {
            out += &view.wrap_painted(Tone::Right, "verdict: conforming", 0);
        }
        out
    }

    /// The same as a JSON object of the kind `summary`.
    pub(super) fn object(&self, bytes: u64) -> String {
        let opcode = |(name, count): (String, &Count)| {
            let mut out = JsonObject::default();
            out.text("name", &name);
            out.raw("frames", count.number);
            out.raw("octets", count.bytes);
            out.raw("largest", count.largest);
            out.finish()
        };
        let mut out = JsonObject::default();
        out.text("kind", "summary");
        out.text_or_null("from", self.sender.map(names::role));
        out.raw("octets", bytes);
        out.raw("opcodes", list(self.opcodes().map(opcode)));
        out.raw("masked", self.masked);
        out.raw("without_fin", self.without_fin);
        for (name, count) in ["length_7", "length_16", "length_64"].iter().zip(self.length_forms) {
            out.raw(name, count);
        }
        out.raw("messages", self.messages.number);
        out.raw("max_message", self.messages.largest);
        out.raw("missing", self.missing);
        out.raw("unfinished", self.is_unfinished);
        out.raw("heads", self.heads);
        out.raw("wrong_heads", self.wrong_heads);
        out.raw("violations", list(self.broken.iter().map(BrokenRule::object)));
        out.finish()
    }
}

impl BrokenRule {
    fn text(&self, view: View) -> String {
        let Self { finding: Finding { requirement, sentence, .. }, count, first } = self;
        let (id, section) = (requirement.id, requirement.section);
        let times = match count {
            1 => "once,".to_owned(),
            many => format!("{many} times, first"),
        };
        let line =
            format!("VIOLATION of section {section} ({id}): {sentence}; {times} at byte {first}");
        view.wrap_painted(Tone::Wrong, &line, 0)
    }

    fn object(&self) -> String {
        let mut out = JsonObject::default();
        out.text("section", self.finding.requirement.section);
        out.text("id", self.finding.requirement.id);
        out.text("sentence", self.finding.sentence);
        out.raw("count", self.count);
        out.raw("first", self.first);
        out.finish()
    }
}

impl Count {
    fn add(&mut self, bytes: u64) {
        self.number += 1;
        self.bytes += bytes;
        self.largest = self.largest.max(bytes);
    }
}
