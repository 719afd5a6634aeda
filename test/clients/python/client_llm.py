import base64
import json

import llm
from llm.default_plugins.openai_models import Chat

from report import Report


def model(cell):
    return Chat(
        cell.model,
        model_name=cell.model,
        key=cell.token,
        api_base=f"{cell.origin}/v1",
        supports_schema=True,
        supports_tools=True,
        vision=True,
    )


def counted(cell, answer):
    usage = answer.usage()
    cell.usage = [usage.input, usage.output]


def plain(cell):
    answer = model(cell).prompt(cell.prompt, stream=False)
    text = answer.text()
    counted(cell, answer)
    return text


def stream(cell):
    answer = model(cell).prompt(cell.prompt, stream=True)
    yield from answer
    counted(cell, answer)


def loop(cell):
    return model(cell).chain(cell.loopPrompt, tools=cell.functions(), stream=False).text()


def schema(cell):
    return json.loads(model(cell).prompt(cell.schemaPrompt, schema=Report, stream=False).text())


def image(cell):
    picture = llm.Attachment(type="image/png", content=base64.b64decode(cell.image))
    return model(cell).prompt(cell.imagePrompt, attachments=[picture], stream=False).text()
