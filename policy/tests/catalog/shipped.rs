//! What is shipped: all of it, with every mark.

use std::collections::HashSet;
use std::fmt::Write as _;

use sekisho_policy::catalog::{
    CREDIT, Catalog, CommandKind, CommonVerdict, Edition, Origin, ParameterKind, Source, Uncertainty, Unnamed,
};
use sha2::{Digest as _, Sha256};

use super::{BOTH, parameter, positional, shipped};

const BLOB: &[u8] = include_bytes!("../../src/catalog/data/shipped.bin");
const SUMMARY: &str = include_str!("../../src/catalog/data/shipped.txt");

fn figure(name: &str) -> usize {
    let line = SUMMARY.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.unwrap_or_else(|| panic!("no figure {name}")).parse().unwrap()
}

#[test]
fn the_file_is_the_one_that_the_generator_described() {
    let mut digest = String::new();
    for byte in Sha256::digest(BLOB) {
        write!(digest, "{byte:02x}").unwrap();
    }
    assert!(SUMMARY.ends_with(&format!("SHA-256: {digest}\n")));
    assert_eq!(BLOB.len(), figure("bytes"));
    assert!(BLOB.len() < 400 * 1024, "it is part of every gateway");
}

#[test]
fn all_of_it_can_be_read() {
    let definitions = Catalog::shipped().definitions();
    let commands: HashSet<(&str, &str)> =
        definitions.iter().map(|(_, info)| (info.module.as_str(), info.name.as_str())).collect();
    let modules: HashSet<&str> = commands.iter().map(|(module, _)| *module).collect();
    assert_eq!((modules.len(), commands.len()), (161, 4059));
    assert_eq!(definitions.len(), figure("definitions"));
    let parameters = || definitions.iter().flat_map(|(_, info)| &info.parameters);
    assert_eq!(parameters().count(), 31_159);
    assert_eq!(parameters().filter(|p| matches!(p.kind, ParameterKind::Switch(_))).count(), figure("switches"));
    let refused = definitions.iter().filter(|(_, info)| info.unnamed == Unnamed::Refuse).count();
    assert_eq!(refused, figure("unnamed arguments refused"));
    let unknown = definitions.iter().filter(|(_, info)| info.sets.len() > 1 && info.default_set.is_none()).count();
    assert_eq!(unknown, figure("default set unknown"));
}

#[test]
fn every_name_is_found_in_its_edition_whatever_its_case() {
    for edition in BOTH {
        let mut seen = HashSet::new();
        let mut number = 0;
        for (name, module) in Catalog::shipped().names(edition) {
            number += 1;
            assert!(seen.insert(name.to_ascii_lowercase()), "{name} twice");
            let info = shipped(edition, &name.to_ascii_uppercase());
            assert_eq!((info.name.as_str(), info.module.as_str()), (name, module));
        }
        // 4,059, less five of ServerManager that are documented twice, less those of the other edition alone.
        let others = [Origin::Windows51, Origin::Core7];
        let other = others[usize::from(edition == Edition::Windows51)];
        let definitions = Catalog::shipped().definitions();
        let hidden = definitions.iter().filter(|(origin, _)| *origin == other).count();
        assert_eq!(number, definitions.len() - hidden - 5);
    }
}

#[test]
fn names_are_whole_and_in_the_letters_they_are_written_in() {
    for name in ["", "Get", "Get-", "Get-Service ", "Service", "Microsoft.PowerShell.Management\\Get-Service", "Get-*"]
    {
        assert!(Catalog::shipped().lookup(Edition::Windows51, name).is_none(), "{name:?}");
    }
    // The long s and the sign for Kelvin are not letters of these names.
    for name in ["Get-\u{17F}ervice", "Invo\u{212A}e-Command", "Get\u{2010}Service", "Get-Service\u{200D}"] {
        assert!(Catalog::shipped().lookup(Edition::Windows51, name).is_none(), "{name:?}");
    }
}

/// Name, edition, number of parameters, takes -WhatIf, default set, its positional parameters in order.
type Checked = (&'static str, Edition, usize, bool, Option<&'static str>, &'static [&'static str]);

#[test]
fn commands_that_were_compared_by_hand_with_their_pages() {
    use Edition::{Core7, Windows51};
    let checked: [Checked; 31] = [
        ("Get-Service", Windows51, 8, false, Some("Default"), &["Name"]),
        ("Get-Service", Core7, 7, false, Some("Default"), &["Name"]),
        ("Restart-Service", Windows51, 7, true, Some("InputObject"), &["InputObject"]),
        ("Get-Process", Windows51, 7, false, Some("Name"), &["Name"]),
        ("Get-Process", Core7, 6, false, Some("Name"), &["Name"]),
        ("Stop-Process", Windows51, 5, true, Some("Id"), &["Id"]),
        ("Get-ChildItem", Windows51, 22, false, Some("Items"), &["Path", "Filter"]),
        ("Get-ChildItem", Core7, 22, false, Some("Items"), &["Path", "Filter"]),
        ("Copy-Item", Windows51, 13, true, Some("Path"), &["Path", "Destination"]),
        ("Get-EventLog", Windows51, 14, false, Some("LogName"), &["LogName", "InstanceId"]),
        ("Get-WinEvent", Windows51, 13, false, Some("GetLogSet"), &["LogName"]),
        ("New-PSSession", Windows51, 19, false, Some("ComputerName"), &["ComputerName"]),
        ("New-PSSession", Core7, 28, false, Some("ComputerName"), &["ComputerName"]),
        ("Get-ADUser", Windows51, 12, false, Some("Filter"), &[]),
        ("Unlock-ADAccount", Windows51, 6, true, None, &["Identity"]),
        ("Set-ADAccountPassword", Windows51, 9, true, None, &["Identity"]),
        ("Add-ADGroupMember", Core7, 9, true, None, &["Identity", "Members"]),
        ("Restart-Computer", Windows51, 13, true, Some("DefaultSet"), &["ComputerName", "Credential"]),
        ("Restart-Computer", Core7, 8, true, None, &["ComputerName", "Credential"]),
        ("Get-NetAdapter", Core7, 8, false, Some("ByName"), &["Name"]),
        ("New-NetFirewallRule", Windows51, 37, true, None, &[]),
        ("Add-DnsServerResourceRecordA", Windows51, 14, true, None, &["ZoneName", "Name", "IPv4Address"]),
        ("Get-ScheduledTask", Windows51, 5, false, None, &["TaskName", "TaskPath"]),
        ("Start-ScheduledTask", Windows51, 6, false, Some("Path"), &["TaskName", "TaskPath"]),
        ("Get-VM", Windows51, 6, false, Some("Name"), &["Name"]),
        ("Restart-WebAppPool", Windows51, 1, false, None, &["Name"]),
        ("Invoke-Command", Windows51, 28, false, Some("InProcess"), &[]),
        ("Invoke-Command", Core7, 38, false, Some("InProcess"), &[]),
        ("Get-SmbShare", Windows51, 23, false, None, &["Name", "ScopeName"]),
        ("Test-NetConnection", Windows51, 9, false, None, &["ComputerName"]),
        ("Get-DnsServerResourceRecord", Windows51, 11, false, None, &["ZoneName", "Name"]),
    ];
    for (name, edition, parameters, should_process, default, order) in checked {
        let info = shipped(edition, name);
        assert_eq!(info.parameters.len(), parameters, "{name}");
        assert_eq!(info.should_process, should_process, "{name}");
        let set = info.default_set.map(|set| info.sets[set].as_str()).filter(|_| info.sets.len() > 1);
        assert_eq!(set, default, "{name}");
        assert_eq!(positional(&info, set), order, "{name}");
    }
}

#[test]
fn editions_differ_where_their_pages_do() {
    let (windows, core) = (shipped(Edition::Windows51, "Get-Service"), shipped(Edition::Core7, "Get-Service"));
    assert_eq!(parameter(&windows, "ComputerName").aliases, ["Cn"]);
    assert!(core.parameters.iter().all(|parameter| parameter.name != "ComputerName"));
    assert!(Catalog::shipped().lookup(Edition::Core7, "Get-EventLog").is_none());
    assert!(Catalog::shipped().lookup(Edition::Windows51, "Test-Json").is_none());
    assert_eq!(parameter(&shipped(Edition::Core7, "Get-WinEvent"), "LogName").membership[0].position, Some(0));
    assert_eq!(parameter(&shipped(Edition::Windows51, "Get-WinEvent"), "LogName").membership[0].position, Some(1));
    // One definition serves both where the pages agree, and modules of Windows Server serve both.
    for (name, origin) in [("Restart-Service", Origin::Both), ("Restart-WebAppPool", Origin::WindowsServer)] {
        assert_eq!(shipped(Edition::Windows51, name), shipped(Edition::Core7, name));
        assert_eq!(Catalog::shipped().source(Edition::Core7, name), Some(Source::Shipped(origin)));
    }
}

#[test]
fn names_of_several_modules_mean_one_command() {
    assert_eq!(shipped(Edition::Windows51, "Get-Verb").module, "Microsoft.PowerShell.Core");
    assert_eq!(shipped(Edition::Core7, "Get-Verb").module, "Microsoft.PowerShell.Utility");
    let twice = [
        "Disable-ServerManagerStandardUserRemoting",
        "Enable-ServerManagerStandardUserRemoting",
        "Get-WindowsFeature",
        "Install-WindowsFeature",
        "Uninstall-WindowsFeature",
    ];
    for (name, edition) in twice.into_iter().flat_map(|name| BOTH.map(|edition| (name, edition))) {
        assert_eq!(shipped(edition, name).module, "ServerManager");
    }
    assert_eq!(
        shipped(Edition::Windows51, "Get-SmigServerFeature").module,
        "Microsoft.Windows.ServerManager.Migration"
    );
}

#[test]
fn every_mark_is_kept() {
    let info = shipped(Edition::Windows51, "Invoke-Command");
    assert_eq!(info.unnamed, Unnamed::Refuse);
    assert_eq!(info.doubts, ["same_position"]);
    assert!(info.parameters.iter().all(|p| p.membership.iter().all(|place| place.position.is_none())));

    let info = shipped(Edition::Windows51, "Export-PfxCertificate");
    assert_eq!(parameter(&info, "Force").kind, ParameterKind::Switch(Uncertainty::Doubtful));
    assert_eq!(
        parameter(&shipped(Edition::Core7, "Get-Service"), "RequiredServices").aliases,
        ["SDO", "ServicesDependedOn"]
    );

    let info = shipped(Edition::Windows51, "Test-NetConnection");
    assert_eq!((info.default_set, info.kind), (None, CommandKind::Unknown));
    assert_eq!(info.sets.len(), 4);

    let info = shipped(Edition::Windows51, "Get-ChildItem");
    assert_eq!(parameter(&info, "Directory").dynamic, ["FileSystem"]);
    assert!(info.transactions && !shipped(Edition::Core7, "Get-ChildItem").transactions);

    let host = shipped(Edition::Core7, "Write-Host");
    assert!(parameter(&host, "Object").remaining && !parameter(&host, "ForegroundColor").remaining);
}

#[test]
fn every_mark_of_sets_and_commands_is_kept() {
    let info = shipped(Edition::Windows51, "Add-Computer");
    let [domain, workgroup] = parameter(&info, "Credential").membership.as_slice() else {
        panic!("it has its own place in each of two sets");
    };
    assert_eq!((domain.mandatory, workgroup.mandatory), (true, false));
    assert_eq!(parameter(&info, "Options").values.len(), 8);

    let info = shipped(Edition::Windows51, "Clear-Host");
    assert!(!info.common && info.common_parameters().next().is_none());
    assert_eq!(shipped(Edition::Windows51, "Get-NetAdapter").kind, CommandKind::Function);
    let pipeline = parameter(&shipped(Edition::Windows51, "Restart-Service"), "Name").pipeline;
    assert!(pipeline.value && pipeline.property);
}

#[test]
fn common_parameters_follow_what_a_command_supports() {
    let names = |name: &str, verdict: CommonVerdict| {
        let info = shipped(Edition::Windows51, name);
        let of = info.common_parameters().filter(move |common| common.verdict == verdict);
        of.map(|common| common.name).collect::<Vec<_>>()
    };
    let allowed =
        ["Verbose", "Debug", "ErrorAction", "WarningAction", "InformationAction", "ProgressAction", "OutBuffer"];
    let denied = ["ErrorVariable", "WarningVariable", "InformationVariable", "OutVariable", "PipelineVariable"];
    assert_eq!(names("Get-Service", CommonVerdict::Allowed), allowed);
    assert_eq!(names("Get-Service", CommonVerdict::Denied), denied);
    assert_eq!(names("Stop-Process", CommonVerdict::Allowed)[7..], ["WhatIf", "Confirm"]);
    assert_eq!(names("Copy-Item", CommonVerdict::Denied)[5..], ["UseTransaction"]);
    let info = shipped(Edition::Windows51, "Get-Service");
    assert!(info.common_parameters().any(|common| common.is_called("OV") && common.name == "OutVariable"));
    assert!(!info.common_parameters().any(|common| common.is_called("wi") || common.is_called("usetx")));
}

#[test]
fn the_credit_is_the_one_that_the_licence_asks_for() {
    let beside = include_str!("../../src/catalog/data/README.md");
    let guide = include_str!("../../../docs/catalog.md");
    for text in [beside, guide, include_str!("../../../README.md")] {
        assert!(text.split_whitespace().collect::<Vec<_>>().join(" ").contains(CREDIT));
    }
    assert!(CREDIT.contains("CC BY 4.0"));
}
