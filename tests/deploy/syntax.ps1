# How PowerShell's own parser reads a script: what it must have, and what Windows PowerShell 5.1 would not read.

foreach ($script in $env:SCRIPTS.Split(':')) {
    $tokens = $null
    $errors = $null
    $ast = [System.Management.Automation.Language.Parser]::ParseFile($script, [ref] $tokens, [ref] $errors)
    if ($errors.Count -gt 0) { throw "${script}: $($errors[0].Extent.StartLineNumber): $($errors[0].Message)" }
    $newer = @($tokens | Where-Object { "$($_.Kind)" -in 'AndAnd', 'OrOr', 'QuestionMark', 'QuestionQuestion',
            'QuestionQuestionEquals', 'QuestionDot', 'QuestionLBracket', 'Clean' })
    if ($newer.Count -gt 0) { throw "${script}: $($newer[0].Extent.StartLineNumber): '$($newer[0].Text)' needs PowerShell 7" }
    $binding = "$($ast.ParamBlock.Attributes)"
    if ($binding -notmatch 'SupportsShouldProcess') { throw "${script}: there is no -WhatIf" }
    $names = @($ast.ParamBlock.Parameters | ForEach-Object { $_.Name.VariablePath.UserPath })
    if ($names -notcontains 'Undo') { throw "${script}: there is no -Undo" }
    $help = $ast.GetHelpContent()
    if (-not $help.Synopsis -or -not $help.Description -or $help.Examples.Count -lt 3) { throw "${script}: help is missing" }
    foreach ($name in $names) {
        if (-not $help.Parameters.ContainsKey($name.ToUpperInvariant())) { throw "${script}: no help about -$name" }
    }
    if (-not $ast.ScriptRequirements.IsElevationRequired) { throw "${script}: it does not ask for elevation" }
    if ("$($ast.ScriptRequirements.RequiredPSVersion)" -ne '5.1') { throw "${script}: it does not ask for 5.1" }
}
'all is well'
