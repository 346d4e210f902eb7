//! The bytes of a fault. [MS-WSMV] 2.2.4 and DSP0226 14.

use super::envelope::start_answer;
use super::fault::{Blame, Fault, FaultCode, PeerFault, PeerText, Subcode, WSMAN_FAULT};
use crate::Result;
use crate::error::Malformed;
use crate::wsman::MessageId;
use crate::xml::{Element, Namespace, Writer};
use uuid::Uuid;

/// Room for the fixed part of a fault.
const FAULT_ROOM: usize = 2048;

pub(crate) fn write_fault(relates_to: Option<&MessageId>, message_id: Uuid, fault: &Fault) -> String {
    let mut writer = Writer::with_capacity(fault.reason.len().saturating_mul(2).saturating_add(FAULT_ROOM));
    let action = fault.subcode.map_or(WSMAN_FAULT, Subcode::action);
    start_answer(&mut writer, action, message_id, relates_to);
    writer.start("s:Fault").start("s:Code").leaf("s:Value", fault.blame.name());
    if let Some(subcode) = fault.subcode {
        writer.start("s:Subcode").leaf("s:Value", subcode.name()).end();
    }
    writer.end().start("s:Reason").start("s:Text").attribute("xml:lang", "en-US").text(&fault.reason).end().end();
    writer
        .start("s:Detail")
        .start("f:WSManFault")
        .attribute("xmlns:f", Namespace::Fault.uri())
        .attribute("Code", &fault.code.0.to_string());
    if !fault.machine.is_empty() {
        writer.attribute("Machine", &fault.machine);
    }
    writer.leaf("f:Message", &fault.reason);
    writer.finish_replaced()
}

pub(crate) fn read_fault(fault: &Element) -> Result<PeerFault> {
    let blame =
        fault.one(Namespace::Soap, "Code")?.map(|code| code.one(Namespace::Soap, "Value")).transpose()?.flatten();
    let blame = match blame.map(Element::trimmed).transpose()? {
        Some(value) if value.ends_with(":Sender") => Blame::Sender,
        Some(value) if value.ends_with(":MustUnderstand") => Blame::MustUnderstand,
        Some(_) | None => Blame::Receiver,
    };
    let detail = fault.one(Namespace::Soap, "Detail")?;
    let windows = detail.map(|detail| detail.one(Namespace::Fault, "WSManFault")).transpose()?.flatten();
    let code = match windows.and_then(|windows| windows.attribute(Namespace::None, "Code")) {
        Some(code) => FaultCode(code.parse().map_err(|_| Malformed::Body)?),
        None => FaultCode(0),
    };
    let reason = fault.one(Namespace::Soap, "Reason")?;
    let text = [reason, windows].into_iter().flatten().map(Element::mixed_text).find(|text| !text.trim().is_empty());
    Ok(PeerFault { code, blame, text: PeerText::bounded(text.unwrap_or_default().trim()) })
}
