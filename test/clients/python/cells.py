"""Runs one client: a cell a line comes in, what came of it goes out, until the input ends.

A client is a module beside this one. Its functions are named after the operations and take the cell; what it lacks, it
does not define. `stream` is a generator of texts that closes its connection when it is closed.
"""

import asyncio
import importlib
import json
import queue
import sys
import threading
import warnings


class Cell:
    """What is asked, and what the client shows of the answer beside its text."""

    def __init__(self, asked):
        self.__dict__.update(asked["task"])
        self.origin = asked["origin"]
        self.token = asked["token"]
        self.model = asked["model"]
        self.variant = asked["variant"]
        self.calls = []
        self.usage = None

    def look_up(self, city: str, days: int) -> str:
        """The weather of a city."""
        self.calls.append({"name": "look_up", "arguments": {"city": city, "days": days}})
        return f"rain for {days} days"

    def note(self, text: str) -> str:
        """Keeps a note."""
        self.calls.append({"name": "note", "arguments": {"text": text}})
        return "noted"

    def functions(self):
        """The tools as functions that hold nothing else, for clients that copy what they are given."""

        def look_up(city: str, days: int) -> str:
            """The weather of a city.

            Args:
                city: Its name.
                days: For how many days.
            """
            return self.look_up(city, days)

        def note(text: str) -> str:
            """Keeps a note.

            Args:
                text: What it says.
            """
            return self.note(text)

        return [look_up, note]

    def run(self, name, arguments):
        """Calls the tool of that name with arguments that are a text of JSON, or what was read from one."""
        read = json.loads(arguments) if isinstance(arguments, str) else dict(arguments)
        return getattr(self, name)(**read)


def spoken(pieces):
    """The pieces of an asynchronous generator, for programs that have no loop of events. It runs in one task."""
    said = queue.Queue()
    running = queue.Queue()

    async def listen():
        running.put((asyncio.get_running_loop(), asyncio.current_task()))
        try:
            async for piece in pieces:
                said.put((piece, None))
            said.put((None, StopIteration()))
        except BaseException as error:
            said.put((None, error))
        finally:
            await pieces.aclose()

    thread = threading.Thread(target=lambda: asyncio.run(listen()))
    thread.start()
    loop, task = running.get()
    try:
        while True:
            piece, error = said.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield piece
    finally:
        if thread.is_alive() and not loop.is_closed():
            loop.call_soon_threadsafe(task.cancel)
        thread.join()


TOOLS = [
    {
        "name": "look_up",
        "description": "The weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city", "days"],
        },
    },
    {
        "name": "note",
        "description": "Keeps a note.",
        "parameters": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
    },
]


def answer(client, operation, cell):
    source = "stream" if operation == "abort" else operation
    if not hasattr(client, source):
        return {"missing": True}
    if operation == "stream":
        return streamed(client, cell)
    if operation == "abort":
        return aborted(client, cell)
    came = guarded(lambda: getattr(client, operation)(cell), operation)
    return {**came, "calls": cell.calls, "usage": cell.usage}


KEYS = {"schema": "object", "embed": "vectors", "models": "ids"}


def guarded(work, operation):
    try:
        return {KEYS.get(operation, "text"): work()}
    except Exception as error:
        return {"error": described(error)}


def described(error):
    return {"name": type(error).__name__, "message": str(error)[:600]}


def streamed(client, cell):
    pieces = []
    error = None
    try:
        for piece in client.stream(cell):
            if piece:
                pieces.append(piece)
    except Exception as thrown:
        error = {"error": described(thrown)}
    return {"text": "".join(pieces), "pieces": len(pieces), "usage": cell.usage, **(error or {})}


def aborted(client, cell):
    try:
        pieces = client.stream(cell)
        first = next(piece for piece in pieces if piece)
        pieces.close()
        return {"text": first}
    except Exception as error:
        return {"error": described(error)}


def main():
    # What libraries print themselves must not come between the answers.
    answers, sys.stdout = sys.stdout, sys.stderr
    warnings.filterwarnings("ignore")
    client = importlib.import_module(sys.argv[1])
    print("{}", file=answers, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        told = answer(client, asked["operation"], Cell(asked))
        print(json.dumps(told, default=str), file=answers, flush=True)


if __name__ == "__main__":
    main()
