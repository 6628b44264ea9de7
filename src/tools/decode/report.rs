//! Where a stream is told: pages, JSON lines or numbers, on standard output.

use std::io::{self, BufWriter, Stdout, Write};

use super::DecodeOutput;
use super::stream::{Part, Sink};
use super::summary::Summary;
use crate::explain::frame_text::{frame_text, message_line};
use crate::explain::view::{Tone, View};
use crate::explain::{fields, json};
use crate::tools::Status;

/// Octets of a payload that a page has use for.
const PAGE_PAYLOAD: usize = 4 * 1024;
/// Octets of a payload that a JSON object holds at most; `kept` and `arrived` tell.
const JSON_PAYLOAD: usize = 1024 * 1024;

/// Tells the parts of a stream.
pub(super) struct Report {
    out: BufWriter<Stdout>,
    output: DecodeOutput,
    view: View,
    frames: u64,
    octets: u64,
    is_first: bool,
    is_wrong: bool,
    summary: Summary,
}

impl Report {
    /// A report in that form.
    pub(super) fn new(output: DecodeOutput, view: View) -> Self {
        Self {
            out: BufWriter::new(io::stdout()),
            output,
            view,
            frames: 0,
            octets: 0,
            is_first: true,
            is_wrong: false,
            summary: Summary::default(),
        }
    }

    /// Octets of each payload that it has use for.
    pub(super) fn payload_max(&self) -> usize {
        match self.output {
            DecodeOutput::Text => PAGE_PAYLOAD,
            DecodeOutput::Json => JSON_PAYLOAD,
            DecodeOutput::Summary | DecodeOutput::SummaryJson => 0,
        }
    }

    /// So many octets more were read.
    pub(super) fn read(&mut self, octets: usize) {
        self.octets += octets as u64;
    }

    /// Text as it is.
    pub(super) fn say(&mut self, text: &str) -> io::Result<()> {
        self.is_first = false;
        self.out.write_all(text.as_bytes())
    }

    /// The stream is at its end.
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.summary.read(self.octets);
        match self.output {
            DecodeOutput::Summary => self.out.write_all(self.summary.page(self.view).as_bytes()),
            DecodeOutput::SummaryJson => writeln!(self.out, "{}", self.summary.object()),
            DecodeOutput::Text if self.octets == 0 => writeln!(self.out, "no octets, no frames"),
            DecodeOutput::Text | DecodeOutput::Json => Ok(()),
        }
    }

    /// Whatever is still here goes out.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// The exit status: 1 if anything reported so far breaks a rule.
    pub(super) fn status(&self) -> Status {
        Status::from(self.is_wrong)
    }

    fn page(&mut self, part: &Part) -> io::Result<()> {
        if !self.is_first {
            self.out.write_all(b"\n")?;
        }
        self.is_first = false;
        let text = match part {
            Part::Head(head) => head.page(self.view),
            Part::Frame(frame) => {
                let mut text = frame_text(self.frames, frame, self.view);
                if !frame.conforms() && frame.missing() == 0 {
                    let end = frame.offset + frame.header.size() as u64 + frame.arrived;
                    let on = format!("reading on at octet {end}, as if its length were right");
                    text.push_str(&self.view.wrap(&on, 0));
                }
                text
            }
            Part::Other(offset, count, why) => {
                let line = format!("{} from octet {offset} on: {why}", fields::octets(*count));
                format!("{}\n", self.view.paint(Tone::Wrong, self.view.wrap(&line, 0).trim_end()))
            }
            Part::Unfinished(message) => {
                let line = format!("unfinished {}", message_line(message));
                self.view.wrap(&line, 0)
            }
        };
        self.out.write_all(text.as_bytes())
    }
}

impl Sink for Report {
    fn take(&mut self, part: &Part) -> io::Result<()> {
        match part {
            Part::Frame(frame) => {
                self.frames += 1;
                self.is_wrong |= !frame.conforms();
            }
            Part::Head(head) => self.is_wrong |= !head.conforms(),
            Part::Other(..) | Part::Unfinished(_) => (),
        }
        match (self.output, part) {
            (DecodeOutput::Text, _) => self.page(part),
            (DecodeOutput::Json, Part::Frame(frame)) => {
                writeln!(self.out, "{}", json::object(frame))
            }
            (DecodeOutput::Json, Part::Head(head)) => writeln!(self.out, "{}", head.object()),
            (DecodeOutput::Json, Part::Other(..) | Part::Unfinished(_)) => Ok(()),
            (DecodeOutput::Summary | DecodeOutput::SummaryJson, _) => {
                self.summary.count(part);
                Ok(())
            }
        }
    }
}
