# Writes the recorded files beside it with PowerShell's own commands: run it in the folder `written`.
$about = @{ Guid = '11111111-2222-3333-4444-555555555555'; Author = 'Sekisho'; CompanyName = 'Sekisho'; Copyright = 'none' }
New-PSRoleCapabilityFile -Path './plain.psrc' @about
New-PSRoleCapabilityFile -Path './web.psrc' @about -Description "Web team: it's 受注" -ModulesToImport 'WebAdministration', @{ ModuleName = 'A'; ModuleVersion = '1.0' } `
    -VisibleCmdlets 'Get-Process', 'NetTCPIP\Get-NetIPAddress', 'Get-Net*', @{ Name = 'Restart-Service'; Parameters = @{ Name = 'Name'; ValidateSet = 'W3SVC', "it's", "`u{2018}受注`u{2019}", 'a"b$c`d' }, @{ Name = 'Force' } }, @{ Name = 'Get-EventLog'; Parameters = @{ Name = 'LogName'; ValidatePattern = 'HR_*' }, @{ Name = 'Newest'; ValidatePattern = '^\d{1,3}$' } } `
    -VisibleFunctions 'Get-NetAdapter', 'Get-X' -VisibleExternalCommands 'C:\Windows\System32\hostname.exe', 'C:\Windows\System32\cmd.exe', 'C:\Scripts\a.ps1' -VisibleProviders 'FileSystem' `
    -AliasDefinitions @{ Name = 'gp1'; Value = 'Get-Process' }, @{ Name = 'rs1'; Value = 'Restart-Service'; Description = 'it''s' } -VisibleAliases 'gp1', 'rs*' `
    -FunctionDefinitions @{ Name = 'Get-X'; ScriptBlock = { param($Path) if ($Path -like 'C:\}*') { "$(Get-Content $Path) }" } } } `
    -VariableDefinitions @{ Name = 'v'; Value = { 'a' + "b" } }, @{ Name = 'w'; Value = 'x' } -EnvironmentVariables @{ A = 'b' } `
    -TypesToProcess 'C:\t.ps1xml' -FormatsToProcess 'C:\f.ps1xml' -AssembliesToLoad 'System.Web' -ScriptsToProcess 'C:\s.ps1'
$session = @{ SessionType = 'RestrictedRemoteServer'; LanguageMode = 'NoLanguage'; Description = 'Web servers'; RunAsVirtualAccount = $true; RunAsVirtualAccountGroups = 'Remote Management Users'
    TranscriptDirectory = 'C:\Transcripts'; MountUserDrive = $true; UserDriveMaximumSize = 5000
    RequiredGroups = @{ And = @{ Or = 'DEMO\mfa', 'DEMO\smartcard' }, 'DEMO\staff' }
    RoleDefinitions = @{ 'DEMO\Web Ops' = @{ RoleCapabilities = 'web', 'missing' } } }
New-PSSessionConfigurationFile -Path './web.pssc' @about @session
New-PSSessionConfigurationFile -Path './web-full.pssc' @about @session -Full
New-PSSessionConfigurationFile -Path './default.pssc' @about
