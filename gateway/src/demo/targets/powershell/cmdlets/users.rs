//! Local users, who have nothing but a password.

use super::{Each, Entry, Given, Input, named, next};
use crate::demo::targets::powershell::effect::{Effect, Effects, nothing, one};
use crate::demo::targets::powershell::errors::Error;
use sekisho_protocol::auth::NtHash;
use sekisho_protocol::clixml::Value;

pub(super) const ENTRIES: [Entry; 1] = [Entry {
    name: "Set-LocalUser",
    parameters: &[next("Name"), named("Password")],
    make: |given| Each::boxed(given, Input::Refused, set),
}];

/// Characters of a password at least.
const SHORTEST: usize = 8;

fn set(given: &Given, _input: Option<Value>) -> Effects {
    let name = given.bound.text("Name").unwrap_or_default();
    let refused = |reason: &str, message: &str| {
        one(Effect::Error(Error::refused(reason, given.command, &name, message.to_owned())))
    };
    let Some(Value::Secure(sealed)) = given.bound.value("Password") else {
        return refused("CannotConvertArgument", "The password is no SecureString.");
    };
    let Some(password) = given.keys.open(sealed) else {
        return refused("CannotOpen", "The SecureString is not sealed under the key of this session.");
    };
    if password.with(|text| text.chars().count()) < SHORTEST {
        return refused("InvalidPassword", "The password does not meet the password policy requirements.");
    }
    given.machine.set_password(&name, NtHash::of_password(&password));
    nothing()
}
