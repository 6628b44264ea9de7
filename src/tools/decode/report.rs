//! Writes the parts of a stream to standard output: as text, as JSON lines or as a summary.

use std::io::{self, BufWriter, Stdout, Write};

use super::DecodeOptions;
use super::summary::Summary;
use crate::explain::frame_json;
use crate::explain::frame_text::{frame_text, message_line};
use crate::explain::handshake_text::CheckedHead;
use crate::explain::text::byte_count;
use crate::explain::view::{Tone, View};
use crate::tools::output::Status;
use crate::wire::dissect::{Frame, Message};

/// Bytes of a payload that the text uses.
const TEXT_PAYLOAD: usize = 4 * 1024;
/// Bytes of a payload in a JSON object, at most; `kept` and `arrived` are its members.
const JSON_PAYLOAD: usize = 1024 * 1024;

/// The report on one stream.
pub(super) struct Report {
    out: BufWriter<Stdout>,
    pub(super) view: View,
    is_json: bool,
    is_summary: bool,
    is_empty: bool,
    summary: Summary,
}

impl Report {
    pub(super) fn new(options: &DecodeOptions, view: View) -> Self {
        let (is_json, is_summary) = (options.json, options.summary);
        let (out, summary) = (BufWriter::new(io::stdout()), Summary::default());
        Self { out, view, is_json, is_summary, is_empty: true, summary }
    }

    /// The number of bytes of each payload that the output uses.
    pub(super) fn payload_max(&self) -> usize {
        match (self.is_summary, self.is_json) {
            (true, _) => 0,
            (false, true) => JSON_PAYLOAD,
            (false, false) => TEXT_PAYLOAD,
        }
    }

    /// Writes `text`, with an empty line between it and what was written before.
    pub(super) fn paragraph(&mut self, text: &str) -> io::Result<()> {
        if !std::mem::replace(&mut self.is_empty, false) {
            self.out.write_all(b"\n")?;
        }
        self.out.write_all(text.as_bytes())
    }

    /// Writes `text`, unless the output is JSON or totals.
    pub(super) fn text_only(&mut self, text: &str) -> io::Result<()> {
        if self.is_summary || self.is_json { Ok(()) } else { self.paragraph(text) }
    }

    /// Writes one part of the stream in the form of the output; totals have no parts.
    fn part(
        &mut self,
        object: impl FnOnce() -> String,
        text: impl FnOnce(&Self) -> String,
    ) -> io::Result<()> {
        match (self.is_summary, self.is_json) {
            (true, _) => Ok(()),
            (false, true) => writeln!(self.out, "{}", object()),
            (false, false) => self.paragraph(&text(self)),
        }
    }

    /// Reports a head of the handshake.
    pub(super) fn head(&mut self, head: &CheckedHead) -> io::Result<()> {
        self.summary.head(head);
        self.part(|| head.object(), |report| head.text(report.view))
    }

    /// Reports a frame, whole or cut off by the end of the stream.
    pub(super) fn frame(&mut self, frame: &Frame) -> io::Result<()> {
        self.summary.frame(frame);
        let text = |report: &Self| {
            let mut text = frame_text(report.summary.frames(), frame, report.view);
            if !frame.conforms() && frame.missing() == 0 {
                let end = frame.offset + frame.header.size() as u64 + frame.arrived;
                let next = format!("continuing at byte {end}, trusting this length");
                text += &report.view.wrap(&next, 0);
            }
            text
        };
        self.part(|| frame_json::object(frame), text)
    }

    /// Reports `count` bytes at `offset` that are not frames.
    pub(super) fn other(&mut self, offset: u64, count: u64, why: &str) -> io::Result<()> {
        let line = format!("{} from byte {offset} on: {why}", byte_count(count));
        self.text_only(&self.view.wrap_painted(Tone::Wrong, &line, 0))
    }

    /// Reports the message whose last frame is missing at the end of the stream.
    pub(super) fn unfinished(&mut self, message: &Message) -> io::Result<()> {
        self.summary.is_unfinished = true;
        self.text_only(&self.view.wrap(&format!("unfinished {}", message_line(message)), 0))
    }

    /// Ends the report on a stream of `bytes` bytes.
    pub(super) fn finish(&mut self, bytes: u64) -> io::Result<()> {
        match (self.is_summary, self.is_json) {
            (true, true) => writeln!(self.out, "{}", self.summary.object(bytes)),
            (true, false) => self.out.write_all(self.summary.text(bytes, self.view).as_bytes()),
            (false, false) if bytes == 0 => writeln!(self.out, "no bytes, no frames"),
            (false, _) => Ok(()),
        }
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// The exit status: 1 if anything reported so far breaks a rule.
    pub(super) fn status(&self) -> Status {
        Status::from(!self.summary.conforms())
    }
}
