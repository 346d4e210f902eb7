# What sessions made of exported pairs allow. $modules: a folder of modules with role capabilities; $in: lines of
# pssc TAB command { TAB parameter=values in base64, comma between, or parameter alone for a switch }; $out: a line each.
param($modules, $in, $out)
$env:PSModulePath = $modules
$type = [psobject].Assembly.GetType('System.Management.Automation.Remoting.DISCPowerShellConfiguration')
$all = [Reflection.BindingFlags]'NonPublic,Public,Instance'
function Open($pssc) {
    $everybody = [Func[string, bool]] { param($name) $true }
    # What a registered endpoint does with a file: no other way of starting a session takes RoleDefinitions.
    $configuration = $type.GetConstructors($all)[0].Invoke(@($pssc, $everybody, $false))
    $state = $type.GetMethod('GetInitialSessionState', $all, $null, [type[]]@([System.Management.Automation.Remoting.PSSenderInfo]), $null).Invoke($configuration, @($null))
    $space = [runspacefactory]::CreateRunspace($state)
    $space.Open()
    $space
}
function Innermost($exception) {
    while ($exception.InnerException -and -not ($exception -is [System.Management.Automation.RuntimeException] -and -not ($exception -is [System.Management.Automation.MethodInvocationException]))) { $exception = $exception.InnerException }
    $exception
}
$spaces = @{}
$lines = foreach ($line in [IO.File]::ReadAllLines($in)) {
    $pssc, $command, $parameters = $line.Split("`t")
    try {
        if (-not $spaces.ContainsKey($pssc)) { $spaces[$pssc] = Open $pssc }
        $shell = [powershell]::Create()
        $shell.Runspace = $spaces[$pssc]
        $null = $shell.AddCommand($command)
        foreach ($parameter in $parameters) {
            $name, $values = $parameter.Split('=', 2)
            if ($null -eq $values) { $null = $shell.AddParameter($name); continue }
            $texts = [string[]]@($values.Split(',') | ForEach-Object { [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($_)) })
            $null = $shell.AddParameter($name, $(if ($texts.Count -eq 1) { $texts[0] } else { , $texts }))
        }
        $null = $shell.Invoke()
        'ran'
    } catch {
        $inner = Innermost $_.Exception
        $id = $inner.ErrorRecord.FullyQualifiedErrorId
        if ($id) { $id } else { 'failed ' + ($inner.ToString() -replace '\s+', ' ') }
    }
}
[IO.File]::WriteAllLines($out, [string[]]@($lines))
