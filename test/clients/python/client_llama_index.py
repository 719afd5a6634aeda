from llama_index.core.base.llms.types import ChatMessage, ImageBlock, MessageRole, TextBlock
from llama_index.core.tools import FunctionTool
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.llms.openai_like import OpenAILike

from report import Report


def chat(cell):
    return OpenAILike(
        model=cell.model,
        api_base=f"{cell.origin}/v1",
        api_key=cell.token,
        is_chat_model=True,
        is_function_calling_model=True,
        max_retries=0,
        additional_kwargs={},
    )


def counted(cell, raw):
    usage = getattr(raw, "usage", None)
    if usage:
        cell.usage = [usage.prompt_tokens, usage.completion_tokens]


def plain(cell):
    answer = chat(cell).complete(cell.prompt)
    counted(cell, answer.raw)
    return answer.text


def stream(cell):
    chunks = chat(cell).stream_complete(cell.prompt, stream_options={"include_usage": True})
    try:
        for chunk in chunks:
            counted(cell, chunk.raw)
            yield chunk.delta
    finally:
        chunks.close()


def loop(cell):
    tools = [FunctionTool.from_defaults(function) for function in cell.functions()]
    messages = [ChatMessage(role=MessageRole.USER, content=cell.loopPrompt)]
    speaker = chat(cell)
    while True:
        answer = speaker.chat_with_tools(tools, chat_history=messages, allow_parallel_tool_calls=True)
        messages.append(answer.message)
        calls = speaker.get_tool_calls_from_response(answer, error_on_no_tool_call=False)
        if not calls:
            return answer.message.content
        for call in calls:
            result = cell.run(call.tool_name, call.tool_kwargs)
            kept = {"tool_call_id": call.tool_id}
            messages.append(ChatMessage(role=MessageRole.TOOL, content=result, additional_kwargs=kept))


def schema(cell):
    return chat(cell).as_structured_llm(Report).complete(cell.schemaPrompt).raw.model_dump()


def image(cell):
    picture = ImageBlock(image=cell.image.encode(), image_mimetype="image/png")
    blocks = [TextBlock(text=cell.imagePrompt), picture]
    return chat(cell).chat([ChatMessage(role=MessageRole.USER, blocks=blocks)]).message.content


def embed(cell):
    model = OpenAILikeEmbedding(model_name=cell.model, api_base=f"{cell.origin}/v1", api_key=cell.token)
    return model.get_text_embedding_batch(cell.texts)
