"""Records what unmodified pypsrp and pywinrm say, for the tests of the protocol crate.

usage: record.py PORT USER PASSWORD
A WinRM target with Basic over plain HTTP has to listen on 127.0.0.1:PORT. Needs pypsrp and pywinrm. Writes
  winrs/NAME.jsonl    one exchange a line: the bodies of request and response
  sealed/NAME.bin     a Content-Type, a line feed, and a body as the client frames it, around sealed bytes of
                      a made-up seal that flips bits: the framing is the client's, the cryptography nobody's
"""
import json, os, struct, sys
from collections import namedtuple

import requests
import winrm
from pypsrp.encryption import WinRMEncryption
from pypsrp.exceptions import WSManFaultError
from pypsrp.shell import Process, SignalCode, WinRS
from pypsrp.wsman import SelectorSet, WSMan
from winrm.encryption import Encryption
from winrm.protocol import Protocol

HERE = os.path.dirname(os.path.abspath(__file__))
PORT, USER, PASSWORD = int(sys.argv[1]), sys.argv[2], sys.argv[3]
out = None
send = requests.Session.send


def recording_send(self, request, **kw):
    response = send(self, request, **kw)
    if request.body and out and response.status_code in (200, 500):
        body = request.body if isinstance(request.body, str) else request.body.decode()
        out.write(json.dumps({"request": body, "response": response.content.decode()}, ensure_ascii=False) + "\n")
    return response


requests.Session.send = recording_send


def scenario(name):
    global out
    os.makedirs(f"{HERE}/winrs", exist_ok=True)
    out = open(f"{HERE}/winrs/{name}.jsonl", "w", buffering=1)


def pypsrp(**kw):
    return WSMan("127.0.0.1", port=PORT, username=USER, password=PASSWORD, ssl=False, auth="basic", encryption="never", **kw)


def pywinrm(**kw):
    return Protocol(f"http://127.0.0.1:{PORT}/wsman", transport="basic", username=USER, password=PASSWORD, message_encryption="never", **kw)


def run(shell, program, arguments=(), signal=SignalCode.TERMINATE):
    process = Process(shell, program, list(arguments))
    process.invoke()
    process.signal(signal)


def record_pypsrp():
    scenario("pypsrp-run")
    with pypsrp() as wsman, WinRS(wsman) as shell:
        run(shell, "echo", ['hello & <world> "q"', "ü€"], SignalCode.CTRL_C)
    scenario("pypsrp-stdin")
    with pypsrp() as wsman, WinRS(wsman, codepage=65001, environment={"A": "b c"}, working_directory="C:\\Windows", no_profile=True, idle_time_out=60) as shell:
        process = Process(shell, "cat")
        process.begin_invoke()
        process.send(b"line one\r\n", end=False)
        process.send(b"line two", end=True)
        process.end_invoke()
        process.signal(SignalCode.TERMINATE)
    scenario("pypsrp-exit")
    with pypsrp() as wsman, WinRS(wsman) as shell:
        run(shell, "cmd.exe", ["/c", "stderr bad & exit -1073741510"])
    scenario("pypsrp-timeout")
    with pypsrp(operation_timeout=1) as wsman, WinRS(wsman) as shell:
        run(shell, "sleep", ["2"])
    scenario("pypsrp-long")
    with pypsrp() as wsman, WinRS(wsman) as shell:
        run(shell, "bigout", ["30000"])
    scenario("pypsrp-noshell")
    with pypsrp() as wsman, WinRS(wsman) as shell:
        own, other = shell._selector_set, SelectorSet()
        other.add_option("ShellId", "6E4C1D1A-0000-4000-8000-000000000000")
        shell._selector_set = other
        try:
            Process(shell, "echo").invoke()
        except WSManFaultError:
            pass
        shell._selector_set = own


def whole(protocol, command, arguments=(), shell={}, feed=None, **options):
    shell_id = protocol.open_shell(**shell)
    command_id = protocol.run_command(shell_id, command, list(arguments), **options)
    if feed:
        protocol.send_command_input(shell_id, command_id, feed, end=True)
    protocol.get_command_output(shell_id, command_id)
    protocol.cleanup_command(shell_id, command_id)
    protocol.close_shell(shell_id)


def record_pywinrm():
    scenario("pywinrm-run")
    whole(pywinrm(), "echo", ["one two", "three"], shell={"codepage": 65001, "env_vars": {"X": "1"}})
    scenario("pywinrm-stdin")
    whole(pywinrm(), "cat", feed="input\n", console_mode_stdin=False)
    scenario("pywinrm-ps")
    winrm.Session(f"http://127.0.0.1:{PORT}/wsman", auth=(USER, PASSWORD), transport="basic").run_ps("Write-Output 1")
    scenario("pywinrm-timeout")
    # pywinrm passes the idle timeout on as it is: it has to be a duration already.
    whole(pywinrm(operation_timeout_sec=1, read_timeout_sec=3), "sleep 2", shell={"working_directory": "C:\\Temp", "idle_timeout": "PT90S"}, skip_cmd_shell=True)


Wrapped = namedtuple("Wrapped", "header data padding_length")


def flip(data):
    return bytes(byte ^ 0x5A for byte in data)


class Ntlm:
    def wrap_winrm(self, data):
        return Wrapped(b"S" * 16, flip(data), 0)

    def wrap(self, data):
        return flip(data), b"S" * 16


class Tls:
    class tls_connection:
        @staticmethod
        def get_cipher_name():
            return "ECDHE-RSA-AES256-GCM-SHA384"

    def wrap(self, data):
        return b"\x17\x03\x03" + struct.pack(">H", len(data) + 16) + flip(data) + b"T" * 16


class Auth:
    session_security, contexts = Ntlm(), {"127.0.0.1": Tls()}

    def __call__(self, request):
        return request


def record_sealed():
    os.makedirs(f"{HERE}/sealed", exist_ok=True)

    def save(name, content_type, body):
        with open(f"{HERE}/sealed/{name}.bin", "wb") as file:
            file.write(content_type.encode() + b"\n" + body)

    for size in (100, 40000):
        plain = (b"<s:Envelope>--Encrypted Boundary--\r\n" * (size // 36 + 1))[:size]
        label = WinRMEncryption.SPNEGO
        kind, body = WinRMEncryption(Ntlm(), label).wrap_message(plain)
        save(f"pypsrp-spnego-{size}", f'{kind};protocol="{label}";boundary="Encrypted Boundary"', body)
        for scheme, name in (("ntlm", "spnego"), ("credssp", "credssp")):
            session = requests.Session()
            session.auth = Auth()
            request = Encryption(session, scheme).prepare_encrypted_request(session, "http://127.0.0.1/wsman", plain)
            save(f"pywinrm-{name}-{size}", request.headers["Content-Type"], request.body)


record_pypsrp()
record_pywinrm()
out = None
record_sealed()
