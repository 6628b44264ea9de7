//! A stream in numbers: what it is made of, how large, what is wrong. Memory does not grow with it.

use std::fmt::Write;

use super::stream::Part;
use crate::explain::finding::{Finding, findings};
use crate::explain::frame_text::role;
use crate::explain::handshake_text::Head;
use crate::explain::json::{Members, list};
use crate::explain::view::{Tone, View};
use crate::wire::dissect::Frame;
use crate::wire::frame::{Opcode, Role};

/// Counts of frames of one kind.
#[derive(Clone, Copy, Default)]
struct Count {
    frames: u64,
    octets: u64,
    largest: u64,
}

/// One rule, how often it was broken, and where first.
struct Broken {
    finding: Finding,
    count: u64,
    first: u64,
}

/// What was counted.
#[derive(Default)]
pub(super) struct Summary {
    sender: Option<Role>,
    octets: u64,
    /// By the bits of the opcode.
    counts: [Count; 16],
    masked: u64,
    fragments: u64,
    /// By the octets of the extended length: 0, 2, 8.
    forms: [u64; 3],
    messages: Count,
    broken: Vec<Broken>,
    heads: u64,
    wrong_heads: u64,
    missing: u64,
    is_unfinished: bool,
}

impl Summary {
    /// Counts one part of a stream.
    pub(super) fn count(&mut self, part: &Part) {
        match part {
            Part::Frame(frame) => self.frame(frame),
            Part::Head(head) => self.head(head),
            Part::Other(..) => (),
            Part::Unfinished(_) => self.is_unfinished = true,
        }
    }

    /// Octets that were read.
    pub(super) fn read(&mut self, octets: u64) {
        self.octets = octets;
    }

    fn head(&mut self, head: &Head) {
        self.heads += 1;
        self.wrong_heads += u64::from(!head.conforms());
    }

    fn frame(&mut self, frame: &Frame) {
        let header = &frame.header;
        self.sender = Some(frame.sender);
        if let Some(count) = self.counts.get_mut(usize::from(header.opcode_bits())) {
            count.add(frame.arrived);
        }
        self.masked += u64::from(header.mask() == Some(true));
        self.fragments += u64::from(!header.fin());
        for (count, size) in self.forms.iter_mut().zip([0, 2, 8]) {
            *count += u64::from(header.length_7().is_some() && size == header.extended_size());
        }
        self.missing = frame.missing();
        if let Some(message) = &frame.message {
            self.messages.add(message.length);
        }
        if !frame.conforms() {
            findings(frame).into_iter().for_each(|finding| self.breach(finding, frame.offset));
        }
    }

    fn breach(&mut self, finding: Finding, offset: u64) {
        match self.broken.iter_mut().find(|broken| broken.finding == finding) {
            Some(broken) => broken.count += 1,
            None => self.broken.push(Broken { finding, count: 1, first: offset }),
        }
    }

    fn kinds(&self) -> impl Iterator<Item = (String, &Count)> {
        let name = |bits: u8| {
            let known = Opcode::ALL.into_iter().find(|opcode| *opcode as u8 == bits);
            known.map_or_else(|| format!("reserved 0x{bits:x}"), |opcode| opcode.name().to_owned())
        };
        let kinds = (0..).zip(&self.counts).map(move |(bits, count)| (name(bits), count));
        kinds.filter(|(_, count)| count.frames != 0)
    }

    /// As text.
    pub(super) fn page(&self, view: View) -> String {
        let from = self.sender.map_or(String::new(), |sender| format!(" from a {}", role(sender)));
        let heading = format!("{} octets{from}", self.octets);
        let mut out = format!("{}\n", view.paint(Tone::Heading, &heading));
        // Rows of at most 39 columns while the numbers have up to eight digits.
        let _ = writeln!(out, "{:<12}{:>9}{:>9}{:>9}", "opcode", "frames", "octets", "largest");
        for (name, count) in self.kinds() {
            let Count { frames, octets, largest } = count;
            let _ = writeln!(out, "{name:<12}{frames:>9} {octets:>8} {largest:>8}");
        }
        let [seven, sixteen, sixty_four] = self.forms;
        for line in [
            format!("masked: {}; without FIN: {}", self.masked, self.fragments),
            format!("length in 7 bits: {seven}, 16 bits: {sixteen}, 64 bits: {sixty_four}"),
            format!(
                "messages: {}, the largest {} octets",
                self.messages.frames, self.messages.largest
            ),
        ] {
            out.push_str(&view.wrap(&line, 0));
        }
        out.push_str(&self.end(view));
        out
    }

    /// What is missing and what is wrong.
    fn end(&self, view: View) -> String {
        let mut out = String::new();
        if self.missing != 0 {
            out.push_str(&view.wrap(&format!("the last frame lacks {} octets", self.missing), 0));
        }
        if self.is_unfinished {
            out.push_str(&view.wrap("the last message lacks its end", 0));
        }
        if self.heads != 0 {
            let line =
                format!("heads of the handshake: {}, wrong: {}", self.heads, self.wrong_heads);
            out.push_str(&view.wrap(&line, 0));
        }
        for Broken { finding: Finding { section, sentence, .. }, count, first } in &self.broken {
            let times =
                if *count == 1 { "once,".to_owned() } else { format!("{count} times, first") };
            let line =
                format!("VIOLATION of section {section}: {sentence}; {times} at octet {first}");
            out.push_str(&view.paint(Tone::Wrong, view.wrap(&line, 0).trim_end()));
            out.push('\n');
        }
        if self.broken.is_empty() && self.wrong_heads == 0 {
            out.push_str(&view.paint(Tone::Right, "verdict: conforming"));
            out.push('\n');
        }
        out
    }

    /// As a JSON object of the kind `summary`.
    pub(super) fn object(&self) -> String {
        let mut out = Members::default();
        out.text("kind", "summary");
        out.quoted("from", self.sender.map(role));
        out.raw("octets", self.octets);
        out.raw(
            "opcodes",
            list(self.kinds().map(|(name, count)| {
                let mut out = Members::default();
                out.text("name", &name);
                out.raw("frames", count.frames);
                out.raw("octets", count.octets);
                out.raw("largest", count.largest);
                out.object()
            })),
        );
        out.raw("masked", self.masked);
        out.raw("without_fin", self.fragments);
        for (name, count) in ["length_7", "length_16", "length_64"].into_iter().zip(self.forms) {
            out.raw(name, count);
        }
        out.raw("messages", self.messages.frames);
        out.raw("max_message", self.messages.largest);
        out.raw("missing", self.missing);
        out.raw("unfinished", self.is_unfinished);
        out.raw("heads", self.heads);
        out.raw("wrong_heads", self.wrong_heads);
        out.raw("violations", list(self.broken.iter().map(Broken::object)));
        out.object()
    }
}

impl Broken {
    fn object(&self) -> String {
        let mut out = Members::default();
        out.text("section", self.finding.section);
        out.text("sentence", self.finding.sentence);
        out.raw("count", self.count);
        out.raw("first", self.first);
        out.object()
    }
}

impl Count {
    fn add(&mut self, octets: u64) {
        self.frames += 1;
        self.octets += octets;
        self.largest = self.largest.max(octets);
    }
}
