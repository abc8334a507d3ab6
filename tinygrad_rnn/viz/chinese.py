"""The words of pictures in Chinese.

``docs/make_fonts.py`` makes the fonts of PNG and PDF have every character that stands here.
"""

from __future__ import annotations

# What stands by itself, in boxes and legends.
PHRASES = {
    "value": "数值",
    "grad": "梯度",
    "target": "目标",
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
    "frozen": "冻结",
    "each": "各自",
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
    "no gradient shown: it needs none": "未标梯度：不需要梯度",
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
    "loop": "循环",
    "parameters": "参数",
    "dotted: no gradient comes": "点线：没有梯度到达",
    "‖gradient‖": "‖梯度‖",
    "‖∂L/∂state‖": "‖∂L/∂状态‖",
    "the part that arrives directly": "直接到达的部分",
    "the part that comes through time": "沿时间而来的部分",
    "mean of a gate": "门的平均值",
    "from its least to its largest element": "从最小元素到最大元素",
    "0: zero exactly": "0：恰好为零",
    "≈0: too small for the axis": "≈0：小得画不进坐标轴",
    "all gradients": "全部梯度",
    "loss": "损失",
    "sum": "总和",
    "loss term": "损失项",
    "time step of use": "使用它的时间步",
    "visit of the walk": "遍历中的访问",
    "no gradient": "没有梯度",
    "gradient only here": "只有这里有梯度",
    "was 0": "原来是 0",
    # Worksheets.
    "Backpropagation through time, by hand": "手算随时间反向传播",
    "Name": "姓名",
    "Date": "日期",
    "tensor": "张量",
    "its numbers": "它的数值",
    "Given": "已知",
    "task": "题号",
    "asked for": "求",
    "answer": "答案",
    "points": "分数",
    "Answers": "答案",
    "Tasks": "题目",
    # The demonstration.
    "Two-step RNN: the graph that backward() walks": "两步 RNN：backward() 遍历的计算图",
}
# What a layer is called besides its scope.
LAYERS = [
    (r"(^|, )layer (\d+)", r"\1第 \2 层"),
    (r", reverse\b", "，反向读"),
    (r", run (\d+)", r"，第 \1 次运行"),
    (r", (?=第 \d+ 层)", "，"),
]
# The same inside a sentence, or word by word.
SPOKEN = [
    (r"(?<=\S) layer (\d+)", r" 第 \1 层"),
    (r"(?<=层) reverse\b|^reverse$", "反向读"),
    (r"(?<=[层读]) run (\d+)|^run (\d+)$", r"第 \1\2 次运行"),
]
# What has numbers in it, or is a sentence among others.
PATTERNS = [
    (r"Backpropagation through ([\d,]+) time steps?", r"跨 \1 个时间步的反向传播"),
    (r"The graph of ([\d,]+) time steps?", r"\1 个时间步的计算图"),
    (r"Gradients of ([\d,]+) time steps?", r"\1 个时间步的梯度"),
    (r"A graph of ([\d,]+) operations?", r"\1 个运算的计算图"),
    (r", ([\d,]+) operations?", r"，\1 个运算"),
    (r"^Second backward, through ", "第二次反向传播，跨 "),
    (r"^Third backward, through ", "第三次反向传播，跨 "),
    (r"(?<=跨 )([\d,]+) time steps? and ", r"\1 个时间步和"),
    (r" ?the first backward(?: and the second backward)?", "先前的反向传播"),
    (r", a backward among them", "，其中有一次反向传播"),
    (r", the second backward of its program", "，程序的第二次反向传播"),
    (r", the third backward of its program", "，程序的第三次反向传播"),
    (r", the (\d+)\w\w backward of its program", r"，程序的第 \1 次反向传播"),
    (r"(?<=…\])  of (\d+)$", r"，共 \1 个"),
    (r", rolled$", "，卷起"),
    (r"([\d,]+) steps? elided", r"省略 \1 步"),
    (r"([\d,]+) operations? left out", r"省略 \1 个运算"),
    (r"(param|weights), used ×(\d+)", r"\1，使用 ×\2"),
    (r", frozen$", "，冻结"),
    (r"^(\d+) alike$", r"\1 个相同"),
    (r"^‖all (\d+)‖ ", r"‖全部 \1 个‖ "),
    (r"(^|, )peak ", r"\1峰值 "),
    (r" ?\(log scale; ≈0: less, or 0\)", "（对数刻度；≈0：更小，或为 0）"),
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
        "橙色粗箭头：在那里回传的梯度及其范数。",
    ),
    (
        r"Weights stand once; their gradient is the sum over the time steps\.",
        "权重只画一次；它们的梯度是对所有时间步求和。",
    ),
    (
        r"Orange underlay: the gradient flowing back along the same edge "
        r"\(width and colour: log of its norm\)\.",
        "橙色底纹：沿同一条边回传的梯度（宽度和颜色：范数的对数）。",
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
        r"\1 个时间步的相同之处只画一次：带方块的箭头绕到下一时间步，"
        "时间步之间只在那里相接。",
    ),
    (
        r"Strips run over time, from the first step at the left to the last one; the numbers "
        r"beside them are of these two\.",
        "条带沿时间展开，左边是第一步，右边是最后一步；旁边的数字属于这两步。",
    ),
    (
        r"Those on arrows: the gradient that flows back there, whose largest norm gives the "
        r"arrow its width and colour\.",
        "箭头上的条带：在那里回传的梯度，最大的范数决定箭头的宽度和颜色。",
    ),
    (
        r"The norm of the gradient of each state, and of each step's share in a parameter's\.",
        "每个状态的梯度的范数，以及每个时间步在参数梯度中的贡献的范数。",
    ),
    (r"One sliver per time step\.", "每个时间步一条细线。"),
    (
        r"One sliver stands for ([\d,]+) time steps: for the largest of their norms\.",
        r"\1 个时间步共一条细线：取其中最大的范数。",
    ),
    # What is told when a part is pointed at, and to a screen reader.
    (r"; value not kept", "；数值没有保留"),
    (r"; value ", "；数值 "),
    (r"; grad not yet", "；梯度尚未计算"),
    (r"; grad not kept", "；梯度没有保留"),
    (r"; grad none", "；梯度：无"),
    (r"; grad ", "；梯度 "),
    (r"\bshape (?=\d[\d×]*(?:$|；|;))", "形状 "),
    (r"; mean gates: ", "；门的平均值："),
    (r"; backward visit (.+)$", r"；反向遍历的第 \1 次访问"),
    (r"; most of it from (t = \S+) \((‖\S+‖)\)", r"；大部分来自 \1（\2）"),
    (r"(‖[^‖]+‖) from within(?=[,:])", r"来自内部的 \1"),
    (r"(‖[^‖]+‖) from (.+?)(?=, (?:来自|‖|\d+ more)|: together)", r"来自 \2 的 \1"),
    (
        r", (\d+) more: together (‖\S+‖), they agree by (\d+ %)",
        r"，另有 \1 项：合计 \2，一致程度 \3",
    ),
    (r": together (‖\S+‖), they agree by (\d+ %)", r"：合计 \1，一致程度 \2"),
    (r" first (\S+), last (\S+), largest (\S+?)(?=；|;|$)", r" 最先 \1，最后 \2，最大 \3"),
    (r"^‖gradient‖ = ", "‖梯度‖ = "),
    (r"^(\w+): mean (\S+)$", r"\1：平均值 \2"),
    (r"^(\w+ = \S+): none$", r"\1：无"),
    (r"^([^=；]+ )?initial state(?=$|；| ×)", r"\1初始状态"),
    (r"^([^=；]+ )?input(?=$|；| ×)", r"\1输入"),
    (r"^([^=；]+ )?constant(?=$|；| ×)", r"\1常量"),
    (r"^([^=；]+ )?param(?=$|；|，| ×)", r"\1参数"),
    (r"^([^=；]+ )?weights(?=$|；|;|，| ×)", r"\1权重"),
    (r"weights of (\d+) places, most (\S+) at (\d+)", r"\1 个位置的权重，最大 \2，在 \3"),
    (r"^place (\d+): ", r"位置 \1："),
    (r"^‖value‖, ", "‖数值‖，"),
    (r": in full size$", "：原始大小"),
    # Charts.
    (r"Gradient flow through ([\d,]+) time steps?", r"跨 \1 个时间步的梯度流"),
    (
        r"^How much the loss depends on the state at each step, and by which way the gradient "
        r"came: directly, or through other time steps\.",
        "损失在多大程度上取决于每个时间步的状态，以及梯度是怎么来的：直接到达，还是穿过其他时间步。",
    ),
    (r"^(.+ₜ‖?) over t$", r"\1 随 t 的变化"),
    (r"^Training, ([\d,]+) iterations?$", r"训练，\1 次迭代"),
    (r"^What the training loop added, iteration by iteration\.", "训练循环逐次迭代记下的数值。"),
    (
        r" Last: the norm of the gradient of all parameters together, and of each\.$",
        "最后一幅：全部参数合在一起的梯度的范数，以及各个参数的。",
    ),
    (
        r" Last: the norm of the gradient of all parameters together, and of the (\d+) of (\d+) "
        r"parameters with the largest\.$",
        r"最后一幅：全部参数合在一起的梯度的范数，以及 \2 个参数中最大的 \1 个的。",
    ),
    (r"^Gradient of (.+) by loss, step$", r"\1 的梯度，按损失项和时间步"),
    (r"^Gradient of (.+) by step, loss$", r"\1 的梯度，按时间步和损失项"),
    (
        r"^The norm of what each (.+) gave to the gradient by each (.+); below, of their sum\.$",
        r"每个\1通过每个\2给梯度的贡献的范数；最下面一行：它们之和的范数。",
    ),
    (r"^The loss over (.+) and (.+)$", r"\1 和 \2 上的损失"),
    (
        r"^Left: the loss, from (.+) to (.+) in six even steps\. Right: the norm of its gradient\. "
        r"The ring: the steepest point, (.+)\.$",
        r"左：损失，从 \1 到 \2，等分为六级。右：它的梯度的范数。圆圈：最陡的一点，\3。",
    ),
    (r"^(.+) and (.+), compared$", r"\1 与 \2 的比较"),
    (r"^not in (.+)$", r"\1 中没有"),
    (
        r"^Both on one scale of colours\. A tag ×2\.0 on a box of (.+): the norm of its gradient "
        r"is twice that of its like in (.+); without a tag they are the same to (\S+), or there is "
        r"none in both\. Steps are counted from the last\.$",
        r"两者用同一颜色刻度。\1 的方框上的标签 ×2.0：它的梯度的范数是 \2 中对应方框的两倍；"
        r"没有标签：两者相差不到 \3，或者都没有梯度。时间步从最后一步数起。",
    ),
    # Worksheets.
    (r": the key$", "：答案"),
    (r"^Points \(of (\d+)\)$", r"得分（共 \1 分）"),
    (
        r"^Find the values \(going forward, along the arrows\) and gradients \(going back, against "
        r"them\) that are left blank; ",
        "求出空白处的数值（前向，沿着箭头）和梯度（反向，逆着箭头）；",
    ),
    (
        r"^Find the values \(going forward, along the arrows\) that are left blank; ",
        "求出空白处的数值（前向，沿着箭头）；",
    ),
    (
        r"^Find the gradients \(going back, against the arrows\) that are left blank; ",
        "求出空白处的梯度（反向，逆着箭头）；",
    ),
    (
        r"a number in brackets is that of the task\. In every box stands a tensor and how it was "
        r"computed\.",
        "括号里的数是题号。每个方框里是一个张量和它的算法。",
    ),
    (
        r"Numbers in pills give the order of the backward walk\.",
        "小圆框里的数是反向遍历的次序。",
    ),
    (r"A dashed box stands in another part\.", "虚线框在另一部分中。"),
    (r"^Part (\d+): ", r"第 \1 部分："),
    (r"^Part (\d+)$", r"第 \1 部分"),
    (
        r"Use three decimals: each number is one point, if it is right within (\S+) %\.",
        r"保留三位小数：每个数一分，误差在 \1 % 以内算对。",
    ),
    (r"Its numbers are those of seed (\d+)\.", r"数值由种子 \1 生成。"),
    (
        r"^(\d+) tasks?, (\d+) points?(, numbers of seed \d+)?\. What had to be found stands here "
        r"in full\.",
        r"\1 道题，\2 分。要求的数都写在这里。",
    ),
    (r"(\d+) numbers?: see the task", r"\1 个数：见题目"),
    (r"^rule of the loss: ", "损失的求导规则："),
    (r"^rule of (\w+): ", r"\1 的求导规则："),
    (r"^sum over (\d+) uses, by ([\w ]+): ", r"对 \1 处使用求和，求导规则：\2："),
    (r"(?<=\w) and (?=\w+(?: and \w+)*：)", "、"),
    (r"(?<=[。：；，]) ", ""),  # Chinese sentences follow each other without a space
]
