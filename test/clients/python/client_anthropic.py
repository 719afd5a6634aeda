from anthropic import Anthropic, beta_tool

from report import Report


def client(cell):
    return Anthropic(base_url=cell.origin, api_key=cell.token)


def said(content):
    return {"max_tokens": 1000, "messages": [{"role": "user", "content": content}]}


def counted(cell, answer):
    cell.usage = [answer.usage.input_tokens, answer.usage.output_tokens]


def plain(cell):
    answer = client(cell).messages.create(model=cell.model, **said(cell.prompt))
    counted(cell, answer)
    return answer.content[0].text


def stream(cell):
    with client(cell).messages.stream(model=cell.model, **said(cell.prompt)) as events:
        yield from events.text_stream
        counted(cell, events.get_final_message())


def loop(cell):
    """The official runner, in the way it goes by default: with threads that the server holds."""
    tools = [beta_tool(cell.look_up), beta_tool(cell.note)]
    runner = client(cell).beta.messages.tool_runner(model=cell.model, tools=tools, **said(cell.loopPrompt))
    return runner.until_done().content[0].text


def schema(cell):
    answer = client(cell).messages.parse(model=cell.model, output_format=Report, **said(cell.schemaPrompt))
    return answer.parsed_output.model_dump()


def image(cell):
    source = {"type": "base64", "media_type": "image/png", "data": cell.image}
    content = [{"type": "image", "source": source}, {"type": "text", "text": cell.imagePrompt}]
    return client(cell).messages.create(model=cell.model, **said(content)).content[0].text


def models(cell):
    return [model.id for model in client(cell).models.list(limit=100)]
