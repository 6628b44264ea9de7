//! The inspector's simulation: what `/chat` would answer to frames that an inspector sends in hex.
//! It runs the server's own [`Receiver`] and its own [`reply_to`], so it cannot differ from the server.

use super::batch::encoded;
use super::reply::{Reply, reply_to};
use super::resource::Resource;
use crate::explain::json::{JsonObject, list};
use crate::explain::text::byte_count;
use crate::explain::{frame_json, hex};
use crate::wire::close::Close;
use crate::wire::dissect::{Dissector, Frame};
use crate::wire::frame::{Opcode, Role};
use crate::wire::message::Receiver;
use crate::wire::violation::Violation;

/// Steps and frames of one simulation, at most.
const SIMULATED_MAX: usize = 16;

/// Simulates a client whose first bytes after the handshake are those that `text` has in hex.
///
/// Returns a JSON object of `kind` `answer` with the members `problem` (a sentence if `text` is not hex,
/// else `null`), `steps` (each a `sentence`, and the bytes of the `answer` in hex or `null`) and `frames`
/// (the frames of `text`, as objects of [`frame_json`]).
pub fn simulate(text: &str, max_message: usize) -> String {
    let wire = hex::decode(text);
    let mut out = JsonObject::default();
    out.text("kind", "answer");
    let problem = wire.is_none().then_some("not a frame in hex: write two digits for each byte");
    out.text_or_null("problem", problem);
    let wire = wire.unwrap_or_default();
    out.raw("steps", list(steps(&wire, max_message).into_iter()));
    out.raw("frames", list(dissected(&wire).iter().take(SIMULATED_MAX).map(frame_json::object)));
    out.finish()
}

fn dissected(wire: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut dissector = Dissector::new(Some(Role::Client), 0, wire.len());
    dissector.read(&mut wire.to_vec(), |frame| frames.push(frame));
    frames.extend(dissector.finish());
    frames
}

/// One thing that the server does, and the frame that it sends, as a JSON object.
fn step(sentence: &str, answer: Option<(Opcode, &[u8])>) -> String {
    let mut out = JsonObject::default();
    out.text("sentence", sentence);
    let answer = answer.map(|(opcode, payload)| hex::encode(&encoded(opcode, payload), ""));
    out.text_or_null("answer", answer);
    out.finish()
}

fn reaction(reply: &Reply) -> String {
    match reply {
        Reply::Broadcast(text) => {
            let size = byte_count(text.len() as u64);
            let what = format!("text message ({size}): sent to everyone in the chat");
            step(&what, Some((Opcode::Text, text.as_bytes())))
        }
        Reply::Unsupported(close) => step(
            "binary message: /chat accepts text only (7.4.1); /echo sends it back",
            Some((Opcode::Close, &close.body())),
        ),
        Reply::Pong(payload) => step(
            "Ping: answered with a Pong that has its payload (5.5.3)",
            Some((Opcode::Pong, payload)),
        ),
        Reply::Nothing => step("Pong: needs no answer (5.5.3)", None),
        Reply::Close(received) => {
            let how = with_code(received);
            let what =
                format!("Close: answered with a Close {how}, then the connection ends (5.5.1)");
            step(&what, Some((Opcode::Close, &received.reply().body())))
        }
        // The simulation is that of /chat, where these do not occur.
        Reply::Echo(..) | Reply::Simulation(_) => step("message: answered to this client", None),
    }
}

fn failure(violation: Violation) -> String {
    let (rule, close) = (violation.rule(), violation.close());
    let (sentence, section, id) = (rule.sentence, rule.requirement.section, rule.requirement.id);
    let code = close.code().map(|code| format!("{code}, {}", code.name())).unwrap_or_default();
    let what = format!("{sentence} ({section}, {id}): the connection fails with close code {code}");
    step(&what, Some((Opcode::Close, &close.body())))
}

/// What the server waits for if nothing is wrong yet.
fn waiting(frame: &Frame) -> Option<String> {
    let is_fragment = !frame.header.fin() && !frame.header.is_control();
    let what = match frame.missing() {
        0 if is_fragment => "fragment: the server waits for the rest of the message (5.4)",
        0 => return None,
        missing => &format!("the server waits for at least {} more", byte_count(missing)),
    };
    Some(step(what, None))
}

fn with_code(received: &Close) -> String {
    match (received.reply().code(), received.code()) {
        (Some(code), Some(other)) if code != other => {
            format!("with code {code}, because only a client may send {other} (7.4.1)")
        }
        (Some(_), _) => "with the same code".to_owned(),
        (None, _) => "without a code".to_owned(),
    }
}

fn steps(wire: &[u8], max_message: usize) -> Vec<String> {
    let mut receiver = Receiver::new(Role::Client, max_message, wire);
    let mut steps = Vec::new();
    while steps.len() < SIMULATED_MAX {
        let reply = match receiver.next() {
            Ok(Some(event)) => reply_to(event, Resource::Chat),
            Ok(None) => {
                steps.extend(dissected(wire).last().and_then(waiting));
                break;
            }
            Err(violation) => {
                steps.push(failure(violation));
                break;
            }
        };
        steps.push(reaction(&reply));
        if matches!(reply, Reply::Unsupported(_) | Reply::Close(_)) {
            break; // the server sends nothing after its Close
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[rustfmt::skip]
    fn each_step_has_its_sentence_and_its_answer() {
        for (text, problem, expected) in [
            ("81 85 37fa213d 7f9f4d5158", "null", r#""sentence":"text message (5 bytes): sent to everyone in the chat","answer":"810548656c6c6f""#),
            ("8980 00000000", "null", r#"(5.5.3)","answer":"8a00""#),
            ("8a80 00000000", "null", r#"(5.5.3)","answer":null"#),
            ("8882 00000000 03e8", "null", r#"a Close with the same code, then the connection ends (5.5.1)","answer":"880203e8""#),
            ("8882 00000000 03f2", "null", r#"a Close with code 1000, because only a client may send 1010 (7.4.1), then the connection ends (5.5.1)","answer":"880203e8""#),
            ("8880 00000000", "null", r#"a Close without a code, then the connection ends (5.5.1)","answer":"8800""#),
            ("8882 00000000 03ed", "null", r#"): the connection fails with close code 1002, protocol error","answer":"88"#),
            ("8100", "null", r#"): the connection fails with close code 1002"#),
            ("8281 00000000 00", "null", r#"(7.4.1); /echo sends it back","answer":"881b03eb"#),
            ("0181 00000000 61", "null", r#"fragment: the server waits for the rest of the message (5.4)","answer":null"#),
            ("81fe 00", "null", r#"waits for at least 5 bytes more","answer":null"#),
            ("", "null", r#""steps":[],"frames":[]"#),
            ("8", r#""not a frame in hex: write two digits for each byte""#, r#""steps":[],"frames":[]"#),
            ("<b>", r#""not a frame in hex: write two digits for each byte""#, r#""steps":[],"frames":[]"#),
        ] {
            let json = simulate(text, 1000);
            assert!(json.starts_with(&format!(r#"{{"kind":"answer","problem":{problem},"steps":["#)), "{json}");
            assert!(json.contains(expected), "{text}: {json}");
        }
    }

    #[test]
    fn a_violation_is_named_with_its_section_and_its_requirement() {
        for (text, violation) in
            [("8100", Violation::Unmasked), ("8882 00000000 03ed", Violation::CloseCodeLocal)]
        {
            let rule = violation.rule();
            let what = format!(
                "{} ({}, {}): the connection fails",
                rule.sentence, rule.requirement.section, rule.requirement.id
            );
            assert!(simulate(text, 1000).contains(&what), "{what}");
        }
    }

    #[test]
    fn it_waits_for_the_last_frame_however_many_frames_are_shown() {
        let fragments = format!("0281 00000000 07 {}", "0081 00000000 07 ".repeat(SIMULATED_MAX));
        let json = simulate(&format!("{fragments} 0083 00000000 07"), 1000);
        assert!(
            json.contains(r#""sentence":"the server waits for at least 2 bytes more""#),
            "{json}"
        );
        assert_eq!(json.matches(r#""kind":"frame""#).count(), SIMULATED_MAX);
    }

    #[test]
    fn the_length_of_an_answer_is_bounded() {
        let json = simulate(&"8a8000000000".repeat(10_000), 1000);
        assert_eq!(json.matches("needs no answer").count(), SIMULATED_MAX);
        assert_eq!(json.matches(r#""kind":"frame""#).count(), SIMULATED_MAX);
    }
}
