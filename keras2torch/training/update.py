"""One update of the weights, from a batch to the projected weights, as lines of ``train_one_epoch``."""

from __future__ import annotations

from typing import Any

from keras2torch.quoting import quote
from keras2torch.training.module_info import ModuleInfo
from keras2torch.training.optimizers import OptimizerText
from keras2torch.training.schedules import LearningRateSchedule


def update_lines(text: OptimizerText, optimizer: Any, module: ModuleInfo) -> list[str]:
    """From a batch to an update of the weights, in Keras's order: clip, decay, step, constrain."""
    together = optimizer.gradient_accumulation_steps
    update = _clip_lines(optimizer)
    groups = []
    schedule = optimizer.learning_rate
    if isinstance(schedule, LearningRateSchedule):
        more = ", args.lr" if schedule.initial() is not None else ""
        groups.append(f'group["lr"] = learning_rate(step{more})')
    for key, expression, why in text.per_update:
        counted = f"(step // {together} + 1)" if together else "(step + 1)"
        groups.append(f"# {why}.")
        groups.append(f'group["{key}"] = {expression.replace("(step + 1)", counted)}')
    if groups:
        update += ["for group in optimizer.param_groups:", *(f"    {g}" for g in groups)]
    if text.decays_weights:
        decay = 'group["decay"]' if text.undecayed else quote(optimizer.weight_decay)
        update += [
            "with torch.no_grad():  # Keras's weight decay is apart from the gradient",
            "    for group in optimizer.param_groups:",
            '        for parameter in group["params"]:',
            "            if parameter.grad is not None:",
            f'                parameter.mul_(1 - {decay} * group["lr"])',
        ]
    update.append("optimizer.step()")
    if module.constraints:
        update.append("constrain(getattr(net, 'module', net))  # inside DDP")
    lines = ["loss, sums = compute_loss(net, args, *batch)"]
    if together:
        lines += [
            f"(loss / {together}).backward()",
            f"if (step + 1) % {together} == 0:  # gradients of {together} batches together",
            *(f"    {line}" for line in [*update, "optimizer.zero_grad()"]),
        ]
    else:
        lines += ["optimizer.zero_grad()", "loss.backward()", *update]
    if optimizer.use_ema:
        if together:
            lines += [
                f"if step < {together}:",
                "    average.n_averaged.zero_()  # a copy of the weights up to their first update",
            ]
        lines.append("average.update_parameters(getattr(net, 'module', net))  # inside DDP")
        if optimizer.ema_overwrite_frequency:
            often = quote(optimizer.ema_overwrite_frequency)
            count = f"step // {together}" if together else "step"
            lines += [
                f"if ({count} + 1) % {often} == 0:",
                "    take_average(getattr(net, 'module', net), average)",
            ]
    return lines


def _clip_lines(optimizer: Any) -> list[str]:
    lines = []
    if optimizer.clipnorm:
        lines += [
            "for parameter in net.parameters():",
            "    if parameter.grad is not None:",
            f"        nn.utils.clip_grad_norm_(parameter, {quote(optimizer.clipnorm)})",
        ]
    if optimizer.global_clipnorm:
        norm = quote(optimizer.global_clipnorm)
        lines.append(f"nn.utils.clip_grad_norm_(net.parameters(), {norm})")
    if optimizer.clipvalue:
        value = quote(optimizer.clipvalue)
        lines.append(f"nn.utils.clip_grad_value_(net.parameters(), {value})")
    return lines
