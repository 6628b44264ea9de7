//! `wirechat encode`: frames in hex, as raw bytes and as a picture, and the warnings about invalid ones.

mod support;

use std::io::{self, Write};
use std::process::{Command, Output, Stdio};

use support::check;
use support::frame::{ClientFrame, Frame, LengthForm, MASKING_KEY, MessageAssembler};

fn program(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wirechat"));
    command.arg("encode").args(words).env_remove("COLUMNS");
    command
}

fn run(words: &[&str]) -> Output {
    program(words).output().expect("the program runs")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

/// The bytes that `encode` writes, and its warnings.
#[track_caller]
fn encode(words: &[&str]) -> (Vec<u8>, String) {
    let output = run(&[words, &["--raw"]].concat());
    let warnings = text(&output.stderr).to_owned();
    check::eq(output.status.code(), Some(0), format_args!("exit status; {warnings}"));
    let hex = run(words);
    let digits: String = text(&hex.stdout).split_whitespace().collect();
    let bytes: String = output.stdout.iter().map(|byte| format!("{byte:02x}")).collect();
    check::eq(digits, bytes, "hex and raw are the same bytes");
    (output.stdout, warnings)
}

#[test]
#[rustfmt::skip]
fn s5_7_the_examples_of_the_rfc() {
    let k256 = "00".repeat(256);
    let k64 = "ff".repeat(100);
    for (words, hex) in [
        (&["--text", "Hello"][..], "81 05 48 65 6c 6c 6f\n"),
        (&["--text", "Hello", "--mask", "37fa213d"], "81 85 37 fa 21 3d 7f 9f 4d 51 58\n"),
        (&["--text", "Hello", "--fragment", "3"], "01 03 48 65 6c\n80 02 6c 6f\n"),
        (&["--text", "Hel", "--no-fin"], "01 03 48 65 6c\n"),
        (&["--continuation", "lo"], "80 02 6c 6f\n"),
        (&["--ping", "Hello"], "89 05 48 65 6c 6c 6f\n"),
        (&["--pong", "Hello", "--mask", "37fa213d"], "8a 85 37 fa 21 3d 7f 9f 4d 51 58\n"),
    ] {
        let output = run(words);
        check::eq((text(&output.stdout), text(&output.stderr)), (hex, ""), words.join(" "));
    }
    let (wire, _) = encode(&["--binary", &k256]);
    check::eq(&wire[..4], &[0x82, 0x7e, 0x01, 0x00][..], "256 bytes");
    let (wire, _) = encode(&["--binary", &k64, "--declare", "65536"]);
    check::eq(&wire[..10], &[0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0][..], "64 KiB");
}

/// The program writes the same bytes as the tests' own encoder.
#[test]
#[rustfmt::skip]
fn s5_2_every_field_can_be_set() {
    let text = || ClientFrame::text("Hello");
    let k126 = "a".repeat(126);
    for (words, frame, sections) in [
        (&["--text", "Hello"][..], text().unmasked(), &[][..]),
        (&["--text", "Hello", "--mask", "37fa213d"], text().masking_key(MASKING_KEY), &[]),
        (&["--text", "Hello", "--mask", "00000000"], text().masking_key([0; 4]), &[]),
        (&["--text", "Hello", "--no-fin"], text().unmasked().without_fin(), &[]),
        (&["--text", "Hello", "--rsv", "4"], text().unmasked().rsv(4), &["5.2"]),
        (&["--text", "Hello", "--rsv", "1"], text().unmasked().rsv(1), &["5.2"]),
        (&["--text", "Hello", "--opcode", "3"], ClientFrame::new(3, "Hello").unmasked(), &["5.2"]),
        (&["--opcode", "0xb"], ClientFrame::new(11, "").unmasked(), &["5.2"]),
        (&["--text", "Hello", "--length-form", "16"], text().unmasked().length_form(LengthForm::Bits16), &["5.2"]),
        (&["--text", "Hello", "--length-form", "64"], text().unmasked().length_form(LengthForm::Bits64), &["5.2"]),
        (&["--text", &k126, "--length-form", "7"], ClientFrame::text(&k126).unmasked().length_form(LengthForm::Bits7), &["5.2"]),
        (&["--text", "Hello", "--declare", "300"], text().unmasked().declared_length(300), &["5.2"]),
        (&["--text", "Hello", "--declare", "2"], text().unmasked().declared_length(2), &["5.2"]),
        (&["--text", "Hello", "--declare", "9223372036854775808"], text().unmasked().declared_length(1 << 63), &["5.2", "5.2"]),
        (&["--ping", &k126], ClientFrame::ping(&k126).unmasked(), &["5.5"]),
        (&["--ping", "--no-fin"], ClientFrame::ping("").unmasked().without_fin(), &["5.5"]),
        (&["--pong", "Hello", "--mask", "37fa213d"], ClientFrame::pong("Hello"), &[]),
        (&["--close"], ClientFrame::new(8, "").unmasked(), &[]),
        (&["--close", "1000", "bye"], ClientFrame::close(1000, "bye").unmasked(), &[]),
        (&["--close", "1006", "bye"], ClientFrame::close(1006, "bye").unmasked(), &["7.4.1"]),
        (&["--binary", "03", "--opcode", "8"], ClientFrame::new(8, [3]).unmasked(), &["5.5.1"]),
        (&["--binary", "c3 28", "--opcode", "1"], ClientFrame::text([0xc3, 0x28]).unmasked(), &["8.1"]),
    ] {
        check::case(words.join(" "));
        let (wire, warnings) = encode(words);
        check::eq(wire, frame.bytes(), "bytes");
        check::eq(warnings.lines().count(), sections.len(), format_args!("warnings: {warnings}"));
        for (warning, section) in warnings.lines().zip(sections) {
            check::that(warning.starts_with("wirechat: warning: frame 1: "), warning);
            check::eq(cited(warning).split('-').next(), Some(*section), warning);
        }
    }
}

/// The ID of the broken requirement that a warning names, or the section if the register has none.
fn cited(warning: &str) -> &str {
    warning.split_once("(RFC 6455, ").expect("a section").1.trim_end_matches(')')
}

/// The JSON line of `decode` for a frame.
fn decoded(wire: &[u8]) -> String {
    let mut decode = Command::new(env!("CARGO_BIN_EXE_wirechat"))
        .args(["decode", "--json", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut input = decode.stdin.take().expect("standard input is piped");
    input.write_all(wire).expect("decode reads its input");
    drop(input);
    let output = decode.wait_with_output().expect("decode ends");
    text(&output.stdout).to_owned()
}

/// The ID of each violation in a JSON line of `decode`, as `5.2-c`.
fn broken(line: &str) -> Vec<String> {
    let (_, rest) = line.split_once("\"violations\":[").expect("a member");
    let (list, _) = rest.split_once("],\"hint\"").expect("the next member");
    let ids = list.split("\"id\":\"").skip(1);
    ids.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}

#[test]
fn decode_shows_the_requested_fields() {
    for (place, opcode) in (0..16_usize).cycle().take(16 * 12).enumerate() {
        let (rsv, fin, masked) = (place / 3 % 8, place % 5 != 0, place / 16 % 2 == 1);
        let bits = [7, 16, 64][place / 32 % 3];
        let texts = [opcode, rsv, bits].map(|number| number.to_string());
        let mut words = vec!["--binary", "03 e8 68 69", "--opcode", &texts[0], "--rsv", &texts[1]];
        words.extend(["--length-form", &texts[2]]);
        words.extend((!fin).then_some("--no-fin"));
        words.extend(masked.then_some(["--mask", "37fa213d"]).iter().flatten());
        check::case(words.join(" "));
        let (wire, warnings) = encode(&words);
        let line = decoded(&wire);
        let [rsv1, rsv2, rsv3] = [4, 2, 1].map(|bit| rsv & bit != 0);
        let key = if masked { "\"37fa213d\"" } else { "null" };
        for part in [
            format!("\"fin\":{fin},\"rsv1\":{rsv1},\"rsv2\":{rsv2},\"rsv3\":{rsv3},"),
            format!("\"opcode\":{opcode},"),
            format!("\"mask\":{masked},\"key\":{key},\"length\":4,\"length_bits\":{bits},"),
            "\"payload\":\"03e86869\",".to_owned(),
        ] {
            check::that(line.contains(&part), format_args!("{part} in {line}"));
        }
        let warned: Vec<&str> = warnings.lines().map(cited).collect();
        let mut broken = broken(&line);
        broken.retain(|id| !id.starts_with("5.4-")); // encode accepts a continuation alone
        if 8 <= opcode && bits != 7 {
            // A receiver rejects the length by its seven bits alone; encode knows the real length.
            let too_long = broken.iter().rposition(|id| id == "5.5-a");
            broken.remove(too_long.expect("decode reports it"));
        }
        check::eq(warned, broken, "encode warns of what decode reports");
    }
}

#[test]
fn s5_4_fragments_form_the_message() {
    let (mut wire, warnings) = encode(&["--text", "ünï🙂", "--fragment", "1"]);
    let (mut sequence, mut message) = (MessageAssembler::default(), None);
    while !wire.is_empty() {
        check::that(message.is_none(), "the message ends with the last frame");
        let (frame, size) = Frame::parse(&wire).expect("a valid frame").expect("a whole frame");
        message = sequence.push(&frame).expect("a valid order");
        wire.drain(..size);
    }
    check::eq(message.map(|message| message.payload), Some("ünï🙂".into()), "joined");
    check::eq(warnings.as_str(), "", "a character may be split");
}

#[test]
fn s5_3_each_frame_has_a_new_random_key() {
    let output =
        run(&["--binary", "00 00 00 00 00 00 00 00", "--fragment", "4", "--mask", "random"]);
    check::eq(text(&output.stderr), "", "no warning");
    let lines: Vec<&str> = text(&output.stdout).lines().collect();
    let keys: Vec<&str> = lines.iter().filter_map(|line| line.get(6..17)).collect();
    check::eq(keys.len(), 2, "two frames");
    check::that(keys[0] != keys[1], "two keys");
    for (line, key) in lines.iter().zip(keys) {
        check::that(line.ends_with(key), "a payload of zeros shows the key");
    }
    let output = run(&["--text", "abcd", "--fragment", "2", "--mask", "37fa213d"]);
    check::that(text(&output.stderr).ends_with("(RFC 6455, 5.3-b)\n"), text(&output.stderr));
}

#[test]
fn many_warnings_are_counted_not_printed() {
    for (count, lines, last) in [(20, 20, "(RFC 6455, 5.2-c)\n"), (21, 21, "warning: and 1 more\n")]
    {
        let output = run(&["--text", &"a".repeat(count), "--fragment", "1", "--rsv", "1"]);
        let warnings = text(&output.stderr);
        check::eq(warnings.lines().count(), lines, warnings);
        check::that(warnings.ends_with(last), warnings);
    }
}

#[test]
fn the_picture_has_the_bits_and_fits_the_terminal() {
    for (columns, width) in [("", 65), ("80", 65), ("200", 65), ("40", 33)] {
        let mut command = program(&["--text", "Hi\x1b[31m", "--mask", "37fa213d", "--picture"]);
        let output = command.env("COLUMNS", columns).output().expect("the program runs");
        let picture = text(&output.stdout);
        check::case(format_args!("{columns} columns"));
        let widest = picture.lines().map(|line| line.chars().count()).max();
        check::eq(widest, Some(width), picture);
        check::that(picture.contains("|1|0|0|0|0 0 0 1|1|0 0 0 0 1 1 1|"), picture);
        check::that(!picture.contains('\x1b'), "no control character");
    }
}

#[test]
fn raw_bytes_are_not_written_to_a_terminal() {
    let words = format!("{} encode --ping --raw", env!("CARGO_BIN_EXE_wirechat"));
    let on_a_terminal = Command::new("script").args(["-qec", &words, "/dev/null"]).output();
    let Ok(output) = on_a_terminal else {
        return check::skip("`script`, which makes a terminal, is not installed");
    };
    check::eq(output.status.code(), Some(2), "exit status");
    check::that(
        text(&output.stdout).contains("--raw is for a pipe or a file"),
        text(&output.stdout),
    );
}

#[test]
fn a_bad_command_line_is_one_sentence() {
    for words in [
        &[][..],
        &["Hello"],
        &["--text", "a", "--ping"],
        &["--text"],
        &["--mask", "\x1b[31m"],
        &["--\x1b[31m"],
        &["--ping", "--length-form", "7", "--declare", "128"],
        &["--ping", "--fragment", "1", "--declare", "128"],
    ] {
        let output = run(words);
        let error = text(&output.stderr);
        check::case(format_args!("{words:?}"));
        check::eq((output.status.code(), text(&output.stdout)), (Some(2), ""), error);
        check::eq(error.lines().count(), 1, error);
        check::that(error.starts_with("wirechat: ") && !error.contains('\x1b'), error);
    }
}

#[test]
fn a_closed_pipe_is_not_a_failure() {
    for words in [&["--ping"][..], &["--ping", "--raw"], &["--ping", "--picture"], &["--help"]] {
        let (reader, writer) = io::pipe().expect("a pipe");
        drop(reader);
        let output = program(words).stdout(writer).output().expect("the program runs");
        check::eq((output.status.code(), text(&output.stderr)), (Some(0), ""), words.join(" "));
    }
}

#[test]
fn a_full_disk_is_a_failure() {
    for word in ["--ping", "--help"] {
        let Ok(full) = std::fs::File::options().write(true).open("/dev/full") else {
            return check::skip("no /dev/full here");
        };
        let output = program(&[word]).stdout(full).output().expect("the program runs");
        let error = text(&output.stderr);
        check::eq(output.status.code(), Some(1), error);
        check::that(error.starts_with("wirechat: standard output: "), error);
    }
}
