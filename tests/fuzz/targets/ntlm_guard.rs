#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| sekisho_protocol::fuzzing::ntlm_guard(input));
