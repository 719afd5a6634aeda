from langchain_core.messages import HumanMessage, ToolMessage

from report import Report


def chat(cell):
    if cell.variant == "openai":
        from langchain_openai import ChatOpenAI

        return ChatOpenAI(model=cell.model, base_url=f"{cell.origin}/v1", api_key=cell.token, stream_usage=True)
    if cell.variant == "anthropic":
        from langchain_anthropic import ChatAnthropic

        return ChatAnthropic(model=cell.model, base_url=cell.origin, api_key=cell.token)
    from langchain_google_genai import ChatGoogleGenerativeAI

    # Its own six attempts take minutes.
    return ChatGoogleGenerativeAI(model=cell.model, base_url=cell.origin, api_key=cell.token, max_retries=1)


def counted(cell, answer):
    usage = answer.usage_metadata if answer else None
    if usage:
        cell.usage = [usage["input_tokens"], usage["output_tokens"]]


def plain(cell):
    answer = chat(cell).invoke(cell.prompt)
    counted(cell, answer)
    return answer.text


def stream(cell):
    whole = None
    for chunk in chat(cell).stream(cell.prompt):
        whole = chunk if whole is None else whole + chunk
        yield chunk.text
    counted(cell, whole)


def loop(cell):
    speaker = chat(cell).bind_tools([cell.look_up, cell.note])
    messages = [HumanMessage(cell.loopPrompt)]
    while True:
        answer = speaker.invoke(messages)
        messages.append(answer)
        if not answer.tool_calls:
            return answer.text
        for call in answer.tool_calls:
            messages.append(ToolMessage(cell.run(call["name"], call["args"]), tool_call_id=call["id"]))


def schema(cell):
    return chat(cell).with_structured_output(Report).invoke(cell.schemaPrompt).model_dump()


def image(cell):
    picture = {"type": "image", "base64": cell.image, "mime_type": "image/png"}
    return chat(cell).invoke([HumanMessage([{"type": "text", "text": cell.imagePrompt}, picture])]).text


def embed(cell):
    if cell.variant == "google":
        from langchain_google_genai import GoogleGenerativeAIEmbeddings

        model = GoogleGenerativeAIEmbeddings(model=cell.model, base_url=cell.origin, api_key=cell.token)
    else:
        from langchain_openai import OpenAIEmbeddings

        model = OpenAIEmbeddings(
            model=cell.model, base_url=f"{cell.origin}/v1", api_key=cell.token, check_embedding_ctx_length=False
        )
    return model.embed_documents(cell.texts)
