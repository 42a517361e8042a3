//! Any bytes: see `latchkey::fuzzing::metadata`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| latchkey::fuzzing::metadata(bytes));
