import instructor
from anthropic import Anthropic
from openai import OpenAI

from report import Report


def client(cell):
    if cell.variant == "anthropic":
        return instructor.from_anthropic(Anthropic(base_url=cell.origin, api_key=cell.token))
    mode = instructor.Mode.TOOLS if cell.variant == "tools" else instructor.Mode.JSON_SCHEMA
    return instructor.from_openai(OpenAI(base_url=f"{cell.origin}/v1", api_key=cell.token), mode=mode)


def schema(cell):
    messages = [{"role": "user", "content": cell.schemaPrompt}]
    answer = client(cell).create(model=cell.model, messages=messages, max_tokens=1000, response_model=Report, max_retries=1)
    return answer.model_dump()
