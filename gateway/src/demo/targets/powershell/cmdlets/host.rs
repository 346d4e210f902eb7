//! Objects shown: by the host, as text, or not at all.

use super::{Cmdlet, Entry, named, switch};
use crate::demo::targets::powershell::effect::{Effect, Effects, all, nothing, one, outputs};
use crate::demo::targets::powershell::view::View;
use sekisho_protocol::clixml::Value;
use sekisho_protocol::psrp::HostMethod;

pub(super) const ENTRIES: [Entry; 3] = [
    Entry {
        name: "Out-Default",
        parameters: &[],
        make: |_given| Box::new(Shown { view: View::default(), to: To::Host }),
    },
    Entry {
        name: "Out-String",
        parameters: &[switch("Stream"), named("Width")],
        make: |given| {
            let to = if given.bound.is_on("Stream") { To::Lines } else { To::Text(String::new()) };
            Box::new(Shown { view: View::default(), to })
        },
    },
    Entry { name: "Out-Null", parameters: &[], make: |_given| Box::new(Dropped) },
];

/// Where lines go.
enum To {
    Host,
    Lines,
    Text(String),
}

struct Shown {
    view: View,
    to: To,
}

impl Shown {
    fn lines(&mut self, lines: Vec<String>) -> Effects {
        match &mut self.to {
            To::Host => {
                let show = |line| Effect::Show(HostMethod::WriteLine2, vec![Value::Text(line)]);
                all(lines.into_iter().map(show).collect())
            }
            To::Lines => outputs(lines.into_iter().map(Value::Text)),
            To::Text(text) => {
                for line in lines {
                    text.push_str(&line);
                    text.push_str("\r\n");
                }
                nothing()
            }
        }
    }
}

impl Cmdlet for Shown {
    fn take(&mut self, value: Value) -> Effects {
        let lines = self.view.add(value);
        self.lines(lines)
    }

    fn end(&mut self) -> Effects {
        let lines = self.view.finish();
        let shown = self.lines(lines);
        match &mut self.to {
            To::Text(text) => one(Effect::Output(Value::Text(std::mem::take(text)))),
            To::Host | To::Lines => shown,
        }
    }
}

struct Dropped;

impl Cmdlet for Dropped {
    fn take(&mut self, _value: Value) -> Effects {
        nothing()
    }
}
