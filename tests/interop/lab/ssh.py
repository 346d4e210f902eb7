#!/usr/bin/env python3
"""Stands in for `ssh … -s NAME powershell`: carries the lines of PowerShell's SSH transport over WinRM, by pypsrp.

PowerShell starts the first `ssh` on PATH for `New-PSSession -HostName NAME`. What the environment says (see Settings)
holds for all sessions; `-Options @{ Name = 'value' }` of New-PSSession reaches this as `-o Name=value` and for one."""

import base64
import json
import os
import queue
import sys
import threading
import xml.etree.ElementTree as ET
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pypsrp.exceptions import WinRMError, WSManFaultError  # noqa: E402
from pypsrp.wsman import NAMESPACES, OptionSet, SelectorSet, WSMan  # noqa: E402
from requests.exceptions import RequestException  # noqa: E402

from engine_target.framing import DEFAULT, POOL, PROMPT_RESPONSE, Assembly, Packet, packet  # noqa: E402

RSP = "{%s}" % NAMESPACES["rsp"]
RESOURCE = "http://schemas.microsoft.com/powershell/"
TERMINATE = NAMESPACES["rsp"] + "/signal/terminate"
STOP = "powershell/signal/crtl_c"
TIMED_OUT, ABORTED, NO_SHELL = 2150858793, 995, 2150858843
OPERATION_TIMEOUT = 20
# Seconds that a stopped pipeline may take to say so.
STOPPING = 10
FAILURES = (WinRMError, RequestException, ValueError)


class Settings:
    """Who logs in where, and how."""

    def __init__(self, words, environment):
        options = dict(w.split("=", 1) for o, w in zip(words, words[1:]) if o == "-o" and "=" in w)
        hosts = json.loads(environment.get("LAB_HOSTS", "{}"))
        host = words[words.index("-s") + 1]
        self.host, self.port = "127.0.0.1", int(options.get("Port", environment["LAB_PORT"]))
        self.ssl = environment.get("LAB_SCHEME", "https") == "https"
        self.path = options.get("Path", environment["LAB_PATH"]).format(host=hosts.get(host, host))
        self.user = options.get("User", environment["LAB_USER"])
        self.password = Path(environment["LAB_PASSWORD_FILE"]).read_text()
        self.ca = environment["LAB_CA"]
        self.auth = options.get("Authentication", environment.get("LAB_AUTH", "credssp"))
        self.configuration = options.get(
            "ConfigurationName", environment.get("LAB_CONFIGURATION", "Microsoft.PowerShell")
        )
        self.envelope = int(environment.get("LAB_ENVELOPE", "512000"))
        self.capture = environment.get("LAB_CAPTURE")

    def wsman(self):
        return WSMan(
            self.host,
            port=self.port,
            ssl=self.ssl,
            path=self.path,
            username=self.user,
            password=self.password,
            auth=self.auth,
            cert_validation=self.ca,
            no_proxy=True,
            max_envelope_size=self.envelope,
            operation_timeout=OPERATION_TIMEOUT,
            read_timeout=OPERATION_TIMEOUT + 20,
        )


class Bridge:
    def __init__(self, settings):
        self.settings, self.control = settings, settings.wsman()
        self.idle, self.out = queue.SimpleQueue(), threading.Lock()
        self.seen, self.running, self.closed = {}, set(), False
        self.ended = {}
        self.creation, self.shell = bytearray(), None
        self.uri = RESOURCE + settings.configuration

    # ---- PowerShell's side
    def say(self, said):
        self.note("server", said)
        with self.out:
            sys.stdout.buffer.write(said.line())
            sys.stdout.buffer.flush()

    def note(self, way, said):
        """What passes, for a test that asks for it."""
        if said.kind != "Data":
            return []
        messages = self.seen.setdefault((way, said.pipeline, said.stream), Assembly()).messages(said.data)
        if self.settings.capture:
            text = "".join(json.dumps({"way": way, **m.facts()}) + "\n" for m in messages)
            with open(self.settings.capture, "a") as f:
                f.write(text)
        return messages

    def run(self):
        for line in iter(sys.stdin.buffer.readline, b""):
            heard = packet(line)
            if heard is None:
                raise ValueError("PowerShell said something that is no packet")
            messages = self.note("client", heard)
            self.step(heard, messages)

    def step(self, heard, messages):
        if heard.kind == "Data":
            self.data(heard, messages)
            self.say(Packet("DataAck", heard.pipeline))
            return
        if heard.kind == "Signal":
            self.signal(heard.pipeline, STOP)
            # A server says that a pipeline has stopped before it acknowledges the signal.
            self.ended.setdefault(heard.pipeline, threading.Event()).wait(STOPPING)
        elif heard.kind == "Close" and heard.pipeline == POOL:
            self.closed = True
            self.delete()
        elif heard.kind == "Close" and heard.pipeline in self.running:
            self.running.discard(heard.pipeline)
            self.signal(heard.pipeline, TERMINATE)
        self.say(Packet(heard.kind + "Ack", heard.pipeline))

    def data(self, heard, messages):
        if heard.pipeline == POOL and self.shell is None:
            self.creation += heard.data
            if any(m.type == "INIT_RUNSPACEPOOL" for m in messages):
                self.create(messages[0].pool.upper())
        elif heard.pipeline != POOL and heard.pipeline not in self.running:
            self.command(heard)
        else:
            self.send(heard)

    # ---- WinRM's side
    def selectors(self):
        selectors = SelectorSet()
        selectors.add_option("ShellId", self.shell)
        return selectors

    def create(self, shell):
        body = ET.Element(RSP + "Shell", ShellId=shell, Name="Runspace")
        ET.SubElement(body, RSP + "InputStreams").text = "stdin pr"
        ET.SubElement(body, RSP + "OutputStreams").text = "stdout"
        creation = ET.SubElement(body, "{http://schemas.microsoft.com/powershell}creationXml")
        creation.text = base64.b64encode(self.creation).decode()
        options = OptionSet()
        options.add_option("protocolversion", "2.3", {"MustComply": "true"})
        self.control.create(self.uri, body, options)
        self.shell = shell
        self.follow(None)

    def command(self, heard):
        body = ET.Element(RSP + "CommandLine", CommandId=heard.pipeline.upper())
        ET.SubElement(body, RSP + "Command").text = ""
        ET.SubElement(body, RSP + "Arguments").text = base64.b64encode(heard.data).decode()
        self.control.command(self.uri, body, selector_set=self.selectors())
        self.running.add(heard.pipeline)
        self.follow(heard.pipeline)

    def send(self, heard):
        body = ET.Element(RSP + "Send")
        name = {DEFAULT: "stdin", PROMPT_RESPONSE: "pr"}[heard.stream]
        stream = ET.SubElement(body, RSP + "Stream", Name=name)
        if heard.pipeline != POOL:
            stream.set("CommandId", heard.pipeline.upper())
        stream.text = base64.b64encode(heard.data).decode()
        self.control.send(self.uri, body, selector_set=self.selectors())

    def signal(self, pipeline, code):
        body = ET.Element(RSP + "Signal", CommandId=pipeline.upper())
        ET.SubElement(body, RSP + "Code").text = code
        self.control.signal(self.uri, body, selector_set=self.selectors())

    def delete(self):
        if self.shell:
            self.control.delete(self.uri, selector_set=self.selectors())

    # ---- what comes back
    def follow(self, pipeline):
        threading.Thread(target=guarded, args=(self.receive, pipeline), daemon=True).start()

    def receive(self, pipeline):
        try:
            wsman = self.idle.get_nowait()
        except queue.Empty:
            wsman = self.settings.wsman()
        while not self.fetched(wsman, pipeline):
            pass
        if pipeline:
            self.ended.setdefault(pipeline, threading.Event()).set()
        self.idle.put(wsman)

    def fetched(self, wsman, pipeline):
        """One Receive; whether it was the last one."""
        body = ET.Element(RSP + "Receive")
        stream = ET.SubElement(body, RSP + "DesiredStream")
        stream.text = "stdout"
        if pipeline:
            stream.set("CommandId", pipeline.upper())
        try:
            answer = wsman.receive(
                self.uri, body, selector_set=self.selectors(), option_set=keep_alive(), timeout=None
            )
        except WSManFaultError as fault:
            if fault.code == TIMED_OUT:
                return False
            over = self.closed or (pipeline and pipeline not in self.running)
            if over and fault.code in (ABORTED, NO_SHELL):
                return True
            raise
        for part in answer.iter(RSP + "Stream"):
            if part.text:
                self.say(Packet("Data", pipeline or POOL, DEFAULT, base64.b64decode(part.text)))
        state = answer.find(f".//{RSP}CommandState")
        return self.closed or (state is not None and state.get("State", "").endswith("/Done"))


def keep_alive():
    options = OptionSet()
    options.add_option("WSMAN_CMDSHELL_OPTION_KEEPALIVE", "TRUE")
    return options


def guarded(action, *arguments):
    """An end that PowerShell hears of: it reads what `ssh` wrote to its standard error."""
    try:
        action(*arguments)
    except WSManFaultError as fault:
        end(f"fault {fault.code}: {fault.reason}")
    except FAILURES as error:
        end(f"{type(error).__name__}: {error}")


def end(why):
    print(why.replace("\n", " "), file=sys.stderr, flush=True)
    os._exit(255)


def main():
    if direct := os.environ.get("LAB_DIRECT"):
        # What a real `ssh` would start, with nothing between: to compare with. It has no stand-in itself.
        environment = {**os.environ, "PATH": os.environ["LAB_SERVER_PATH"]}
        os.execvpe("sh", ["sh", "-c", "exec " + direct], environment)
    bridge = Bridge(Settings(sys.argv, os.environ))
    guarded(bridge.run)
    # PowerShell closes its end when it has seen the last answer: whatever it still wants to read is there until then.
    if bridge.shell and not bridge.closed:
        bridge.closed = True
        guarded(bridge.delete)
    os._exit(0)


if __name__ == "__main__":
    main()
