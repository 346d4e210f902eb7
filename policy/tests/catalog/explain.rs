//! What `policy catalog show` prints.

use sekisho_policy::catalog::{CREDIT, Catalog, CatalogMode, CommandInfo, Unnamed, WorkflowParameters, explain};

use super::{BOTH, info};

fn lines(name: &str) -> String {
    explain(Catalog::shipped(), name).join("\n")
}

#[test]
fn a_command_is_explained_once_where_editions_agree() {
    let text = lines("restart-service");
    let expected = "\
Restart-Service  (Microsoft.PowerShell.Management)
  cmdlet, in Windows PowerShell 5.1 and PowerShell 7, as shipped
  parameter sets: InputObject (default), Default, DisplayName";
    assert!(text.starts_with(expected), "{text}");
    let name = "  -Name  System.String[]; alias ServiceName; in Default: position 0, mandatory; \
                takes objects and properties from the pipeline";
    assert!(text.contains(name), "{text}");
    assert!(text.contains("  never allowed: -ErrorVariable, "), "{text}");
    assert!(text.contains("  allowed too: -WhatIf, -Confirm"), "{text}");
    assert!(text.ends_with(CREDIT));
}

#[test]
fn a_command_is_explained_twice_where_editions_differ() {
    let text = lines("Get-Service");
    assert_eq!(text.matches("Get-Service  (").count(), 2);
    assert!(text.contains("in Windows PowerShell 5.1, as shipped") && text.contains("in PowerShell 7, as shipped"));
    assert!(lines("Get-EventLog").contains("in Windows PowerShell 5.1, as shipped"));
}

#[test]
fn every_mark_is_explained() {
    for (name, mark) in [
        ("Invoke-Command", "every argument needs its name"),
        ("Invoke-Command", "at odds with itself (same_position)"),
        ("Test-NetConnection", "its default set is not known"),
        ("Get-ChildItem", "there only on paths of FileSystem, by its name only"),
        ("Get-ChildItem", "never allowed: -UseTransaction"),
        ("Export-PfxCertificate", "only -Force:value is accepted"),
        ("Write-Host", "takes the unnamed arguments that are left over"),
        ("Clear-Host", "takes no common parameters"),
        ("Restart-WebAppPool", "from a module of Windows Server 2025"),
    ] {
        assert!(lines(name).contains(mark), "{name}: {}", lines(name));
    }
}

#[test]
fn what_a_policy_brings_is_not_credited_to_others() {
    let own = CommandInfo { workflow: WorkflowParameters::Taken, unnamed: Unnamed::Refuse, ..info("Get-Own") };
    let catalog = Catalog::build(CatalogMode::Extend, vec![(BOTH.to_vec(), own)]);
    let text = explain(&catalog, "Get-Own").join("\n");
    assert!(text.starts_with("Get-Own  (no module)\n  cmdlet or function, which is not known, in Windows PowerShell 5.1 and PowerShell 7, as the policy says"), "{text}");
    assert!(text.contains("-PSComputerName") && text.contains("note: its positions are not known"), "{text}");
    assert!(!text.contains(CREDIT));
    assert!(explain(&catalog, "Get-Nothing").is_empty());
}
