from smolagents import ChatMessage, MessageRole, OpenAIServerModel, ToolCallingAgent, tool

from report import Report


def model(cell):
    # Its own pauses after a limit take minutes.
    return OpenAIServerModel(model_id=cell.model, api_base=f"{cell.origin}/v1", api_key=cell.token, retry=False)


def user(text):
    return [ChatMessage(role=MessageRole.USER, content=[{"type": "text", "text": text}])]


def counted(cell, usage):
    if usage:
        cell.usage = [usage.input_tokens, usage.output_tokens]


def plain(cell):
    answer = model(cell).generate(user(cell.prompt))
    counted(cell, answer.token_usage)
    return answer.content


def stream(cell):
    for delta in model(cell).generate_stream(user(cell.prompt)):
        counted(cell, delta.token_usage)
        yield delta.content


def loop(cell):
    """An agent whose answer is the call of a last tool."""
    tools = [tool(function) for function in cell.functions()]
    agent = ToolCallingAgent(tools=tools, model=model(cell), verbosity_level=0, max_tool_threads=1)
    return str(agent.run(cell.loopPrompt))


def schema(cell):
    wanted = {"name": "report", "strict": True, "schema": Report.model_json_schema()}
    answer = model(cell).generate(
        user(cell.schemaPrompt), response_format={"type": "json_schema", "json_schema": wanted}
    )
    return Report.model_validate_json(answer.content).model_dump()
