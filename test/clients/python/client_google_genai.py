import base64

from google import genai
from google.genai import types

from report import Report


def client(cell):
    # Kept, because it closes its connections when nobody holds it any more.
    cell.speaker = genai.Client(api_key=cell.token, http_options=types.HttpOptions(base_url=cell.origin))
    return cell.speaker


def counted(cell, answer):
    if answer.usage_metadata:
        cell.usage = [answer.usage_metadata.prompt_token_count, answer.usage_metadata.candidates_token_count]


def plain(cell):
    answer = client(cell).models.generate_content(model=cell.model, contents=cell.prompt)
    counted(cell, answer)
    return answer.text


def stream(cell):
    for chunk in client(cell).models.generate_content_stream(model=cell.model, contents=cell.prompt):
        counted(cell, chunk)
        yield chunk.text


def loop(cell):
    """Functions of Python are called by the client itself."""
    config = types.GenerateContentConfig(tools=cell.functions(), top_k=40)
    return client(cell).models.generate_content(model=cell.model, contents=cell.loopPrompt, config=config).text


def schema(cell):
    config = types.GenerateContentConfig(
        response_mime_type="application/json", response_json_schema=Report.model_json_schema()
    )
    answer = client(cell).models.generate_content(model=cell.model, contents=cell.schemaPrompt, config=config)
    return answer.parsed


def image(cell):
    picture = types.Part.from_bytes(data=base64.b64decode(cell.image), mime_type="image/png")
    return client(cell).models.generate_content(model=cell.model, contents=[picture, cell.imagePrompt]).text


def embed(cell):
    answer = client(cell).models.embed_content(model=cell.model, contents=cell.texts)
    return [embedding.values for embedding in answer.embeddings]


def models(cell):
    return [model.name.removeprefix("models/") for model in client(cell).models.list()]
