//! Writes the parts of a stream to standard output: as text, as JSON lines or as a summary.

use std::io::{self, BufWriter, Stdout, Write};

use super::super::output::Status;
use super::options::DecodeOutput;
use super::summary::Summary;
use crate::explain::frame_json;
use crate::explain::frame_text::{frame_text, message_line};
use crate::explain::handshake_text::HandshakeText;
use crate::explain::text::byte_count;
use crate::explain::view::{Tone, View};
use crate::wire::dissect::{Frame, Message};

/// Bytes of a payload that the text uses.
const TEXT_PAYLOAD: usize = 4 * 1024;
/// Bytes of a payload in a JSON object, at most; `kept` and `arrived` are its members.
const JSON_PAYLOAD: usize = 1024 * 1024;

/// The report on one stream.
pub(super) struct Report {
    out: BufWriter<Stdout>,
    output: DecodeOutput,
    pub(super) view: View,
    frames: u64,
    is_empty: bool,
    is_wrong: bool,
    summary: Summary,
}

impl Report {
    pub(super) fn new(output: DecodeOutput, view: View) -> Self {
        let out = BufWriter::new(io::stdout());
        let summary = Summary::default();
        Self { out, output, view, frames: 0, is_empty: true, is_wrong: false, summary }
    }

    /// The number of bytes of each payload that the output uses.
    pub(super) fn payload_max(&self) -> usize {
        match self.output {
            DecodeOutput::Text => TEXT_PAYLOAD,
            DecodeOutput::Json => JSON_PAYLOAD,
            DecodeOutput::Summary | DecodeOutput::SummaryJson => 0,
        }
    }

    /// Writes `text`, with an empty line between it and what was written before.
    pub(super) fn paragraph(&mut self, text: &str) -> io::Result<()> {
        if !std::mem::replace(&mut self.is_empty, false) {
            self.out.write_all(b"\n")?;
        }
        self.out.write_all(text.as_bytes())
    }

    /// Reports a head of the handshake.
    pub(super) fn head(&mut self, head: &HandshakeText) -> io::Result<()> {
        self.is_wrong |= !head.conforms();
        match self.output {
            DecodeOutput::Text => self.paragraph(&head.text(self.view))?,
            DecodeOutput::Json => writeln!(self.out, "{}", head.object())?,
            DecodeOutput::Summary | DecodeOutput::SummaryJson => self.summary.head(head),
        }
        Ok(())
    }

    /// Reports a frame, whole or cut off by the end of the stream.
    pub(super) fn frame(&mut self, frame: &Frame) -> io::Result<()> {
        self.frames += 1;
        self.is_wrong |= !frame.conforms();
        match self.output {
            DecodeOutput::Text => {
                let mut text = frame_text(self.frames, frame, self.view);
                if !frame.conforms() && frame.missing() == 0 {
                    let end = frame.offset + frame.header.size() as u64 + frame.arrived;
                    let next = format!("continuing at byte {end}, trusting this length");
                    text += &self.view.wrap(&next, 0);
                }
                self.paragraph(&text)?;
            }
            DecodeOutput::Json => writeln!(self.out, "{}", frame_json::object(frame))?,
            DecodeOutput::Summary | DecodeOutput::SummaryJson => self.summary.frame(frame),
        }
        Ok(())
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

    fn text_only(&mut self, text: &str) -> io::Result<()> {
        if self.output == DecodeOutput::Text { self.paragraph(text) } else { Ok(()) }
    }

    /// Ends the report on a stream of `bytes` bytes.
    pub(super) fn finish(&mut self, bytes: u64) -> io::Result<()> {
        match self.output {
            DecodeOutput::Summary => {
                self.out.write_all(self.summary.text(bytes, self.view).as_bytes())
            }
            DecodeOutput::SummaryJson => writeln!(self.out, "{}", self.summary.object(bytes)),
            DecodeOutput::Text if bytes == 0 => writeln!(self.out, "no bytes, no frames"),
            DecodeOutput::Text | DecodeOutput::Json => Ok(()),
        }
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// The exit status: 1 if anything reported so far breaks a rule.
    pub(super) fn status(&self) -> Status {
        Status::from(self.is_wrong)
    }
}
