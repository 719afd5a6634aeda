from openai import OpenAI

from cells import TOOLS
from report import Report


def client(cell):
    return OpenAI(base_url=f"{cell.origin}/v1", api_key=cell.token)


def ask(cell, content, **more):
    return client(cell).responses.create(model=cell.model, input=content, **more)


def counted(cell, answer):
    cell.usage = [answer.usage.input_tokens, answer.usage.output_tokens]


def plain(cell):
    answer = ask(cell, cell.prompt)
    counted(cell, answer)
    return answer.output_text


def stream(cell):
    with client(cell).responses.stream(model=cell.model, input=cell.prompt) as events:
        for event in events:
            if event.type == "response.output_text.delta":
                yield event.delta
        counted(cell, events.get_final_response())


def loop(cell):
    tools = [{"type": "function", "strict": False, **tool} for tool in TOOLS]
    talk = [{"role": "user", "content": cell.loopPrompt}]
    while True:
        answer = ask(cell, talk, tools=tools, store=False)
        talk += answer.output
        calls = [item for item in answer.output if item.type == "function_call"]
        if not calls:
            return answer.output_text
        for call in calls:
            result = cell.run(call.name, call.arguments)
            talk.append({"type": "function_call_output", "call_id": call.call_id, "output": result})


def schema(cell):
    answer = client(cell).responses.parse(model=cell.model, input=cell.schemaPrompt, text_format=Report)
    return answer.output_parsed.model_dump()


def image(cell):
    picture = {"type": "input_image", "detail": "auto", "image_url": f"data:image/png;base64,{cell.image}"}
    content = [{"type": "input_text", "text": cell.imagePrompt}, picture]
    return ask(cell, [{"role": "user", "content": content}]).output_text
