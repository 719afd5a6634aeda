"""Aider as a program, in a home of its own; what it prints beside the answer is known by its form."""

import base64
import codecs
import json
import os
import re
import subprocess
import sys
import tempfile

QUIET = """--no-git --yes-always --no-pretty --no-check-update --analytics-disable --no-show-model-warnings
--no-detect-urls --no-show-release-notes --no-gitignore --no-fancy-input --map-tokens 0""".split()
# What it says before the answer.
HEAD = re.compile(r".*Repo-map: disabled\n+", re.S)
TOKENS = re.compile(r"\n+Tokens: (\d+) sent, (\d+) received\..*", re.S)
# It prints the error of a call, and then asks again or ends as if all were well.
ERROR = re.compile(r"litellm\.(?:exceptions\.)?(\w+Error): (.*)")


def told(cell, mode, prompt=None, picture=None):
    """The answer as it is printed, piece by piece."""
    with tempfile.TemporaryDirectory(prefix="keywise-aider-") as home:
        model = ["--model", f"openai/{cell.model}", "--chat-mode", "ask", mode]
        files = [] if picture is None else shown(cell, home, picture)
        command = [sys.executable, "-m", "aider", *model, *QUIET, "--message", prompt or cell.prompt, *files]
        place = {"OPENAI_API_BASE": f"{cell.origin}/v1", "OPENAI_API_KEY": cell.token, "COLUMNS": "1000"}
        environment = {**os.environ, **place, "HOME": home, "PYTHONUNBUFFERED": "1"}
        running = subprocess.Popen(
            command, cwd=home, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        try:
            yield from answer(cell, running.stdout)
        finally:
            running.kill()
            running.communicate()


def shown(cell, home, picture):
    """It sends pictures to models only that it was told can see: https://aider.chat/docs/config/adv-model-settings.html"""
    facts = {f"openai/{cell.model}": {"supports_vision": True, "litellm_provider": "openai", "mode": "chat"}}
    with open(os.path.join(home, ".aider.model.metadata.json"), "w", encoding="utf-8") as file:
        json.dump(facts, file)
    with open(os.path.join(home, "picture.png"), "wb") as file:
        file.write(base64.b64decode(picture))
    return ["picture.png"]


def answer(cell, output):
    decoder = codecs.getincrementaldecoder("utf-8")()
    said = ""
    shown = 0
    while data := os.read(output.fileno(), 4096):
        said += decoder.decode(data)
        if error := ERROR.search(said):
            raise type(error[1], (Exception,), {})(error[2])
        head = HEAD.match(said)
        text = TOKENS.sub("", said[head.end() :]).rstrip() if head else ""
        yield text[shown:]
        shown = max(shown, len(text))
    if counted := TOKENS.search(said):
        cell.usage = [int(counted[1]), int(counted[2])]


def plain(cell):
    return "".join(told(cell, "--no-stream"))


def stream(cell):
    return told(cell, "--stream")


def image(cell):
    return "".join(told(cell, "--no-stream", cell.imagePrompt, cell.image))
