# What PowerShell makes of data files: a line of base64 of UTF-8 in, a line of base64 of the value in short form out.
# Only texts that our reader takes for constants come here, so that there is nothing to run in them.
param($in, $out)
function Short($value) {
    if ($null -eq $value) { return '-' }
    if ($value -is [bool]) { if ($value) { return 'T' } else { return 'F' } }
    if ($value -is [string]) { return 't' + [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($value)) }
    if ($value -is [scriptblock]) { return 's' + [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($value.ToString())) }
    if ($value -is [hashtable]) {
        $parts = foreach ($key in $value.Keys) { (Short ([string]$key).ToLowerInvariant()) + '=' + (Short $value[$key]) }
        $sorted = [string[]]@($parts); [Array]::Sort($sorted, [StringComparer]::Ordinal)
        return '{' + ($sorted -join ',') + '}'
    }
    if ($value -is [array]) { return '[' + (@(foreach ($item in $value) { Short $item }) -join ',') + ']' }
    return 'n' + [Convert]::ToString($value, [Globalization.CultureInfo]::InvariantCulture)
}
$lines = foreach ($line in [IO.File]::ReadAllLines($in)) {
    try {
        $text = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($line))
        $value = & ([scriptblock]::Create($text))
        Short $value
    } catch { 'error ' + ($_.Exception.Message -replace '\s+', ' ') }
}
[IO.File]::WriteAllLines($out, [string[]]@($lines))
