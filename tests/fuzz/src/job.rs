//! Documents of the job API.

use sekisho_protocol::job::{JobEvent, JobRequest, Problem, Summary, TargetList, TargetsRequest};

/// Any document of a user; what is read is written and read again as the same.
pub fn request(input: &[u8]) {
    if let Ok(request) = JobRequest::decode(input) {
        let again = JobRequest::decode(&request.encode().expect("what was read can be written"));
        assert_eq!(again, Ok(request));
    }
    let _targets = TargetsRequest::decode(input).is_ok();
}

/// Any line or document of a gateway, which hostile targets help to write.
pub fn answer(input: &[u8]) {
    if let Ok(event) = JobEvent::decode(input) {
        let mut line = Vec::new();
        event.encode_into(&mut line).expect("what was read can be written");
        assert!(line.iter().filter(|byte| **byte == b'\n').count() == 1, "more than one line");
        assert_eq!(JobEvent::decode(&line), Ok(event.clone()));
        let mut summary = Summary::default();
        assert_eq!(summary.count(&event), summary.total() == 1);
    }
    if let Ok(list) = TargetList::decode(input) {
        drop(list.encode().expect("what was read can be written"));
    }
    if let Ok(problem) = Problem::decode(input) {
        drop(problem.encode().expect("what was read can be written"));
    }
}
