from groq import Groq

from cells import TOOLS
from report import Report


def ask(cell, content, **more):
    messages = content if isinstance(content, list) else [{"role": "user", "content": content}]
    return client(cell).chat.completions.create(model=cell.model, messages=messages, **more)


def client(cell):
    return Groq(base_url=cell.origin, api_key=cell.token)


def plain(cell):
    answer = ask(cell, cell.prompt)
    cell.usage = [answer.usage.prompt_tokens, answer.usage.completion_tokens]
    return answer.choices[0].message.content


def stream(cell):
    with ask(cell, cell.prompt, stream=True) as chunks:
        for chunk in chunks:
            if chunk.x_groq and chunk.x_groq.usage:
                cell.usage = [chunk.x_groq.usage.prompt_tokens, chunk.x_groq.usage.completion_tokens]
            if chunk.choices:
                yield chunk.choices[0].delta.content


def loop(cell):
    tools = [{"type": "function", "function": tool} for tool in TOOLS]
    messages = [{"role": "user", "content": cell.loopPrompt}]
    while True:
        message = ask(cell, messages, tools=tools).choices[0].message
        if not message.tool_calls:
            return message.content
        messages.append(message)
        for call in message.tool_calls:
            result = cell.run(call.function.name, call.function.arguments)
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})


def schema(cell):
    wanted = {"name": "report", "strict": True, "schema": Report.model_json_schema()}
    answer = ask(cell, cell.schemaPrompt, response_format={"type": "json_schema", "json_schema": wanted})
    return Report.model_validate_json(answer.choices[0].message.content).model_dump()


def image(cell):
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{cell.image}"}}
    answer = ask(cell, [{"role": "user", "content": [{"type": "text", "text": cell.imagePrompt}, picture]}])
    return answer.choices[0].message.content


def embed(cell):
    return [row.embedding for row in client(cell).embeddings.create(model=cell.model, input=cell.texts).data]


def models(cell):
    return [model.id for model in client(cell).models.list().data]
