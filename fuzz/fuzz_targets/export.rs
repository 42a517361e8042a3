//! Any bytes: see `latchkey::fuzzing::export`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| latchkey::fuzzing::export(bytes));
