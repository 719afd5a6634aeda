from mistralai.client import Mistral

from cells import TOOLS
from report import Report


def client(cell):
    return Mistral(server_url=cell.origin, api_key=cell.token)


def user(content):
    return [{"role": "user", "content": content}]


def counted(cell, answer):
    if answer.usage:
        cell.usage = [answer.usage.prompt_tokens, answer.usage.completion_tokens]


def plain(cell):
    answer = client(cell).chat.complete(model=cell.model, messages=user(cell.prompt))
    counted(cell, answer)
    return answer.choices[0].message.content


def stream(cell):
    with client(cell).chat.stream(model=cell.model, messages=user(cell.prompt)) as events:
        for event in events:
            counted(cell, event.data)
            if event.data.choices:
                yield event.data.choices[0].delta.content


def loop(cell):
    tools = [{"type": "function", "function": tool} for tool in TOOLS]
    messages = user(cell.loopPrompt)
    while True:
        message = client(cell).chat.complete(model=cell.model, messages=messages, tools=tools).choices[0].message
        if not message.tool_calls:
            return message.content
        messages.append(message)
        for call in message.tool_calls:
            result = cell.run(call.function.name, call.function.arguments)
            messages.append({"role": "tool", "tool_call_id": call.id, "name": call.function.name, "content": result})


def schema(cell):
    answer = client(cell).chat.parse(model=cell.model, messages=user(cell.schemaPrompt), response_format=Report)
    return answer.choices[0].message.parsed.model_dump()


def image(cell):
    picture = {"type": "image_url", "image_url": f"data:image/png;base64,{cell.image}"}
    content = [{"type": "text", "text": cell.imagePrompt}, picture]
    return client(cell).chat.complete(model=cell.model, messages=user(content)).choices[0].message.content


def embed(cell):
    return [row.embedding for row in client(cell).embeddings.create(model=cell.model, inputs=cell.texts).data]


def models(cell):
    return [model.id for model in client(cell).models.list().data]
