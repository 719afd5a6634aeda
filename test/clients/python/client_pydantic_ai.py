import base64

from pydantic_ai import Agent, BinaryContent
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.google import GoogleProvider
from pydantic_ai.providers.openai import OpenAIProvider

from cells import spoken
from report import Report


def agent(cell, **more):
    if cell.variant == "google":
        model = GoogleModel(cell.model, provider=GoogleProvider(api_key=cell.token, base_url=cell.origin))
    else:
        kind = OpenAIChatModel if cell.variant == "chat" else OpenAIResponsesModel
        model = kind(cell.model, provider=OpenAIProvider(base_url=f"{cell.origin}/v1", api_key=cell.token))
    return Agent(model, **more)


def counted(cell, result):
    usage = result.usage() if callable(result.usage) else result.usage
    cell.usage = [usage.input_tokens, usage.output_tokens]


def plain(cell):
    result = agent(cell).run_sync(cell.prompt)
    counted(cell, result)
    return result.output


def stream(cell):
    async def pieces():
        async with agent(cell).run_stream(cell.prompt) as result:
            async for piece in result.stream_text(delta=True, debounce_by=None):
                yield piece
            counted(cell, result)

    return spoken(pieces())


def loop(cell):
    return agent(cell, tools=cell.functions()).run_sync(cell.loopPrompt).output


def schema(cell):
    return agent(cell, output_type=Report).run_sync(cell.schemaPrompt).output.model_dump()


def image(cell):
    picture = BinaryContent(data=base64.b64decode(cell.image), media_type="image/png")
    return agent(cell).run_sync([cell.imagePrompt, picture]).output
