//! Any bytes: see `latchkey::fuzzing::configuration`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| latchkey::fuzzing::configuration(bytes));
