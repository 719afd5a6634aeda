import litellm

from cells import TOOLS
from report import Report

litellm.suppress_debug_info = True
BASES = {"openai": "/v1", "anthropic": "", "gemini": "/v1beta", "openrouter": "/v1", "groq": "/v1", "mistral": "/v1"}


def place(cell):
    return {
        "model": f"{cell.variant}/{cell.model}",
        "api_base": cell.origin + BASES[cell.variant],
        "api_key": cell.token,
    }


def ask(cell, content, **more):
    messages = content if isinstance(content, list) else [{"role": "user", "content": content}]
    return litellm.completion(messages=messages, **place(cell), **more)


def counted(cell, usage):
    if usage:
        cell.usage = [usage.prompt_tokens, usage.completion_tokens]


def plain(cell):
    answer = ask(cell, cell.prompt)
    counted(cell, answer.usage)
    return answer.choices[0].message.content


def stream(cell):
    chunks = ask(cell, cell.prompt, stream=True, stream_options={"include_usage": True})
    try:
        for chunk in chunks:
            counted(cell, getattr(chunk, "usage", None))
            if chunk.choices:
                yield chunk.choices[0].delta.content
    finally:
        chunks.close()


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
    answer = ask(cell, cell.schemaPrompt, response_format=Report)
    return Report.model_validate_json(answer.choices[0].message.content).model_dump()


def image(cell):
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{cell.image}"}}
    answer = ask(cell, [{"role": "user", "content": [{"type": "text", "text": cell.imagePrompt}, picture]}])
    return answer.choices[0].message.content


def embed(cell):
    answer = litellm.embedding(input=cell.texts, encoding_format="float", **place(cell))
    return [row["embedding"] for row in answer.data]
