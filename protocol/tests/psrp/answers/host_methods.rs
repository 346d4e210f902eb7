//! Methods of a host: what becomes of each.

use super::of_target::{Opening, client};
use super::*;

/// What becomes of each, as the rules for targets say it.
fn passage(method: HostMethod) -> Passage {
    use HostMethod as M;
    match method {
        M::Write1
        | M::Write2
        | M::WriteLine1
        | M::WriteLine2
        | M::WriteLine3
        | M::WriteErrorLine
        | M::WriteDebugLine
        | M::WriteProgress
        | M::WriteVerboseLine
        | M::WriteWarningLine => Passage::Shown,
        M::SetShouldExit | M::PopRunspace => Passage::Ends,
        M::GetName
        | M::GetVersion
        | M::GetInstanceId
        | M::GetCurrentCulture
        | M::GetCurrentUICulture
        | M::GetForegroundColor
        | M::GetBackgroundColor
        | M::GetCursorPosition
        | M::GetWindowPosition
        | M::GetCursorSize
        | M::GetBufferSize
        | M::GetWindowSize
        | M::GetWindowTitle
        | M::GetMaxWindowSize
        | M::GetMaxPhysicalWindowSize
        | M::GetKeyAvailable
        | M::GetIsRunspacePushed => Passage::Known,
        M::ReadLine
        | M::ReadLineAsSecureString
        | M::Prompt
        | M::PromptForCredential1
        | M::PromptForCredential2
        | M::PromptForChoice
        | M::PromptForChoiceMultipleSelection
        | M::ReadKey => Passage::Asks,
        M::EnterNestedPrompt
        | M::ExitNestedPrompt
        | M::NotifyBeginApplication
        | M::NotifyEndApplication
        | M::SetForegroundColor
        | M::SetBackgroundColor
        | M::SetCursorPosition
        | M::SetWindowPosition
        | M::SetCursorSize
        | M::SetBufferSize
        | M::SetWindowSize
        | M::SetWindowTitle
        | M::FlushInputBuffer
        | M::SetBufferContents1
        | M::SetBufferContents2
        | M::ScrollBufferContents
        | M::PushRunspace => Passage::Dropped,
        M::GetBufferContents | M::GetRunspace => Passage::Refused,
    }
}

#[test]
fn every_method_of_a_host_has_its_passage_and_passes_both_machines() {
    assert_eq!(HostMethod::ALL.len(), 56);
    for method in HostMethod::ALL.iter().copied() {
        assert_eq!(method.passage(), passage(method), "{}", method.name());
        for id in [None, Some(ONE)] {
            let call = HostCall { call: CALL, method, parameters: vec![Value::text("x")] };
            let kind = if id.is_some() { MessageType::PipelineHostCall } else { MessageType::RunspacePoolHostCall };
            let mut client = client(Opening::Opened);
            client.create_pipeline(ONE, &pipeline(true)).unwrap();
            let header =
                MessageHeader { destination: Destination::Client, kind, pool: POOL, pipeline: id.unwrap_or_default() };
            client.receive(id, &one_fragment(50, Message::new(header, &call.encode()))).unwrap();
            assert_eq!(client.next_event(), Some(ClientEvent::HostCall { id, call: call.clone() }));

            // Sent on, answered, and answered again.
            let mut server = running_server(OfPipeline::Running);
            server.host_call(id, &call, Answer::Wanted).unwrap();
            assert_eq!(kind_of(&server.take_output(id, usize::MAX).unwrap()), kind);
            let response = HostResponse { call: CALL, method, result: HostResult::Value(Value::text("y")) };
            client.host_response(id, &response).unwrap();
            let bytes = client.take_output(id, Stream::PromptResponse, usize::MAX).unwrap();
            server.receive(id, Stream::PromptResponse, &bytes).unwrap();
            assert_eq!(server.next_event(), Some(ServerEvent::HostResponse { id, response: response.clone() }));
            client.host_response(id, &response).unwrap();
            let again = client.take_output(id, Stream::PromptResponse, usize::MAX).unwrap();
            assert_eq!(server.receive(id, Stream::PromptResponse, &again), Err(PeerMisbehaved::Unrelated.into()));
        }
    }
}
