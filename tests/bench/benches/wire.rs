//! Micro-benchmarks of parts of the wire layer, each with a comparable function of the standard library.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::Duration;

use wirechat::wire::frame::{self, Opcode, Role};
use wirechat::wire::mask;
use wirechat::wire::message::Receiver;

const SIZE: usize = 64 * 1024;
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

fn unmasking(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("unmask");
    group.throughput(Throughput::Bytes(SIZE as u64));
    let mut payload = vec![b'a'; SIZE];
    group.bench_function("wirechat", |bench| {
        bench.iter(|| mask::apply(KEY, 0, black_box(&mut payload)))
    });
    let mut copy = vec![0; SIZE];
    group.bench_function("copy", |bench| {
        bench.iter(|| black_box(&mut copy).copy_from_slice(black_box(&payload)));
    });
}

/// Receives unmasked texts, as a server sends them: this measures the header, the UTF-8 check, and the
/// copy into the buffer of the receiver, which replaces the read from a socket.
fn utf8(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("utf8");
    group.throughput(Throughput::Bytes(SIZE as u64));
    let payload = vec![b'a'; SIZE];
    let mut wire = Vec::new();
    for half in payload.chunks(SIZE / 2) {
        frame::encode(Opcode::Text, None, half, &mut wire);
    }
    let mut receiver = Receiver::new(Role::Server, SIZE, &[]);
    group.bench_function("wirechat", |bench| bench.iter(|| receive(&mut receiver, &wire)));
    group.bench_function("std", |bench| bench.iter(|| str::from_utf8(black_box(&payload)).is_ok()));
}

/// Receives masked texts: header, unmasking and UTF-8 check.
fn receiving(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("receive");
    for (name, size) in [("64 B", 64), ("16 KiB", 16 * 1024)] {
        let mut wire = Vec::new();
        while wire.len() < SIZE {
            frame::encode(Opcode::Text, Some(KEY), &vec![b'a'; size], &mut wire);
        }
        group.throughput(Throughput::Bytes(wire.len() as u64));
        group.bench_function(name, |bench| {
            let mut receiver = Receiver::new(Role::Client, SIZE, &[]);
            bench.iter(|| receive(&mut receiver, &wire));
        });
    }
}

/// Passes all bytes to the receiver, in reads as large as its buffer allows.
fn receive(receiver: &mut Receiver, mut wire: &[u8]) {
    while !wire.is_empty() {
        let space = receiver.spare_capacity();
        let count = space.len().min(wire.len());
        space[..count].copy_from_slice(&wire[..count]);
        receiver.advance(count);
        wire = &wire[count..];
        while let Ok(Some(event)) = receiver.next() {
            black_box(&event);
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_millis(500));
    targets = unmasking, utf8, receiving
}
criterion_main!(benches);
