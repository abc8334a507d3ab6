"""The words of pictures in other languages: one catalogue, put into a picture when it is painted.

Names, numbers and formulas are the program's and stay as they are.
"""

from __future__ import annotations

import re
from html import escape, unescape

from tinygrad_rnn.viz.scene import Scene

# What stands by itself, in boxes and legends.
_PHRASES = {
    "zh": {
        "value": "数值",
        "grad": "梯度",
        "‖grad‖": "‖梯度‖",
        "input": "输入",
        "constant": "常量",
        "param": "参数",
        "weights": "权重",
        "operation": "运算",
        "state": "状态",
        "result": "结果",
        "initial state": "初始状态",
        "left out": "省略",
        "parameter (shown once)": "参数（只画一次）",
        "forward": "前向",
        "to the next step": "到下一时间步",
        "use of a parameter": "使用参数",
        "backward": "反向",
        "backward: ≈0": "反向：≈0",
        "backward: zero exactly": "反向：恰好为零",
        "underlined: zero exactly": "下划线：恰好为零",
        "order of the backward walk": "反向遍历的次序",
        "a step passes; ×: how often": "过一个时间步；×：次数",
        "‖value‖ at each step, up to the largest": "每个时间步的 ‖数值‖，以最大者为满",
        "mean of a gate, 0 … 1": "门的平均值，0 … 1",
        "mean of a gate, 0 … 1 or, from the middle, −1 … 1": "门的平均值，0 … 1；从中间起：−1 … 1",
        "‖·‖: root of the sum of squares": "‖·‖：平方和的平方根",
        "∂: gradient of the result by it": "∂：结果对它的梯度",
        "⊙: product, element by element": "⊙：逐元素相乘",
        "@: matrix product": "@：矩阵乘积",
        "σ: sigmoid": "σ：sigmoid 函数",
        "[a ; b]: joined": "[a ; b]：拼接",
        "⁽¹⁾: of layer 1, the second": "⁽¹⁾：第 1 层的（从 0 数起）",
        "⁽⁰ʳ⁾: of layer 0 reading backwards": "⁽⁰ʳ⁾：第 0 层反向读的",
        "c′: c of the step before": "c′：上一时间步的 c",
        "gates: i input, f forget, g candidate, o output": "门：i 输入，f 遗忘，g 候选，o 输出",
        "gates: r reset, z update, n candidate": "门：r 重置，z 更新，n 候选",
        "bars at weights: what each step gave, up to the largest in the row": (
            "权重旁的条：每个时间步的贡献，以本行最大者为满"
        ),
        "norms of parts do not add up: parts may cancel (point at a gradient)": (
            "各部分的范数之和不等于总范数：各部分可能相互抵消（把鼠标放在梯度上）"
        ),
        "no gradient shown: it needs none": "没有写梯度：它不需要",
        "none: it needs a gradient, and has none": "无：它需要梯度，却没有得到",
        "none": "无",
        "not yet": "尚未计算",
        "not kept": "没有保留",
        "first": "最先",
        "last": "最后",
        "largest": "最大",
        "smallest": "最小",
        "‖∂‖ at each step": "每个时间步的 ‖∂‖",
        "‖∂‖ of all at each depth": "每一深度上全部的 ‖∂‖",
        "∂L/∂θ = Σₜ: ‖share‖ of each t": "∂L/∂θ = Σₜ：每个 t 的 ‖贡献‖",
        "the loss enters at this step": "损失在这一时间步进入",
    }
}
# What has numbers in it, or is a sentence among others.
_PATTERNS = {
    "zh": [
        (r"Backpropagation through ([\d,]+) time steps?", r"穿过 \1 个时间步的反向传播"),
        (r"The graph of ([\d,]+) time steps?", r"\1 个时间步的计算图"),
        (r"Gradients of ([\d,]+) time steps?", r"\1 个时间步的梯度"),
        (r"A graph of ([\d,]+) operations?", r"\1 个运算的计算图"),
        (r", ([\d,]+) operations?", r"，\1 个运算"),
        (r"^Second backward, through the first backward", "第二次反向传播，穿过第一次"),
        (r", a backward among them", "，其中有一次反向传播"),
        (r", rolled$", "，卷起"),
        (r"([\d,]+) steps? elided", r"省略 \1 步"),
        (r"([\d,]+) operations? left out", r"省略 \1 个运算"),
        (r"(param|weights), used ×(\d+)", r"\1，使用 ×\2"),
        (r"^param，", "参数，"),
        (r"^weights，", "权重，"),
        (r"^param ×", "参数 ×"),
        (r"^peak ", "峰值 "),
        (r"\(log scale; ≈0: less, or 0\)", "（对数刻度；≈0：更小，或为 0）"),
        (
            r"Thin arrows: the forward computation, bottom to top and step to step\.",
            "细箭头：前向计算，自下而上、逐个时间步。",
        ),
        (
            r"Thin arrows: the forward computation, left to right\.",
            "细箭头：前向计算，自左而右。",
        ),
        (
            r"Thick orange arrows: the gradient that crosses there on its way back, "
            r"with its norm\.",
            "橙色粗箭头：在那里往回流的梯度及其范数。",
        ),
        (
            r"Weights stand once; their gradient is the sum over the time steps\.",
            "权重只画一次；它们的梯度是对所有时间步求和。",
        ),
        (
            r"Orange underlay: the gradient flowing back along the same edge "
            r"\(width and colour: log of its norm\)\.",
            "橙色底纹：沿同一条边往回流的梯度（宽度和颜色：范数的对数）。",
        ),
        (
            r"Steps left out keep their gradients: one sliver each\.",
            "省略的时间步仍保留梯度：每步一条细线。",
        ),
        (
            r"Steps left out keep their gradients: one sliver for the largest of several\.",
            "省略的时间步仍保留梯度：几步共一条细线，取最大者。",
        ),
        (
            r"Operations left out keep their gradients: one sliver for each depth\.",
            "省略的运算仍保留梯度：每一深度一条细线。",
        ),
        (
            r"An arrow for many steps has the norm of all, and its peak\.",
            "代表多步的箭头标着全部的范数和峰值。",
        ),
        (
            r"Gradients that read not kept: use bptt\.record\.",
            "写着“没有保留”的梯度：请用 bptt.record。",
        ),
        (r"No backward has run yet\.", "还没有做过反向传播。"),
        (
            r"What up to ([\d,]+) time steps? do alike is drawn once: an arrow with a square goes "
            r"round to the next step, and only there does one step touch another\.",
            r"\1 个时间步的相同之处只画一次： 带方块的箭头绕到下一时间步， "
            "时间步之间只在那里相接。",
        ),
        (
            r"Strips run over time, from the first step at the left to the last one; the numbers "
            r"beside them are of these two\.",
            "条带沿时间展开， 左边是第一步，右边是最后一步； 旁边的数字属于这两步。",
        ),
        (
            r"Those on arrows: the gradient that flows back there, whose largest norm gives the "
            r"arrow its width and colour\.",
            "箭头上的条带：在那里往回流的梯度， 最大的范数决定箭头的宽度和颜色。",
        ),
        (
            r"The norm of the gradient of each state, and of each step's share in a parameter's\. "
            r"One sliver per time step\.",
            "每个状态的梯度的范数，以及每个时间步在参数梯度中的贡献的范数。 每个时间步一条细线。",
        ),
    ]
}
LANGUAGES = ("en", *_PHRASES)

# A text that a reader sees, but for what is bold: names, and the title, which the scene has.
_TEXT = re.compile(r"(<(?:text|title|desc)\b(?![^>]*bold)[^>]*>)([^<]+)(?=<)")


def said_in(language: str, text: str) -> str:
    """One phrase or several sentences of a picture; what the catalogue does not have stays.

    Examples
    --------
    >>> said_in("zh", "σ: sigmoid"), said_in("zh", "weights, used ×4"), said_in("zh", "h₁ @ W")
    ('σ：sigmoid 函数', '权重，使用 ×4', 'h₁ @ W')
    """
    if language == "en":
        return text
    known = _PHRASES[language].get(text)
    if known is not None:
        return known
    for pattern, said in _PATTERNS[language]:
        text = re.sub(pattern, said, text)
    return text


def told_in(language: str, scene: Scene) -> None:
    """Translate what is broken into lines when it is painted, and what stands for a name."""
    scene.language = language
    scene.title, scene.aid = said_in(language, scene.title), said_in(language, scene.aid)
    for box in scene.boxes.values():
        if box.style == "elided":
            box.name = said_in(language, box.name)


def painted_in(language: str, svg: str) -> str:
    """A picture with its words in another language."""
    if language == "en":
        return svg

    def say(found: re.Match[str]) -> str:
        return found[1] + escape(said_in(language, unescape(found[2])), quote=False)

    return _TEXT.sub(say, svg)
