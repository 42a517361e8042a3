//! Any bytes: see `latchkey::fuzzing::token_reply`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| latchkey::fuzzing::token_reply(bytes));
