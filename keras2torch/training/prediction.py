"""``predict`` of a script, and the script of a program that compiles no loss."""

from __future__ import annotations

import textwrap
from dataclasses import replace

from keras2torch.pages import environment
from keras2torch.quoting import identifier, prose, quote
from keras2torch.training.data_text import input_rows
from keras2torch.training.heads import Head
from keras2torch.training.settings import Settings
from keras2torch.training.step import Step
from keras2torch.training.summary import summary_lines, summary_package


class Prediction(Settings):
    """``step.heads`` tells what is left to apply to each output."""

    def prediction_script(self) -> str:
        """For a program that compiles no loss: what the model gives on arrays from a file."""
        reason = self.module.untrainable
        keys = [identifier(name) for name in self.ends.inputs]
        heads = [
            Head(name, name, "", tuple(port.shape), port.permutation, port.activation)
            for name, port in zip(self.ends.predictions, self.module.outputs)
        ]
        self.step = Step([], [], [], heads)
        script = f"{self.stem}_predict.py"
        context = {
            "title": title(
                f"What {self.module.class_name} makes of arrays; "
                + ("its training is not here." if reason else "the program compiles no loss.")
            ),
            "header": [
                *(["Not carried over:", *prose(reason).splitlines(), ""] if reason else []),
                *self.module.header.splitlines(),
            ],
            "commands": [
                f"pip install torch numpy {summary_package(self.module)}",
                f"python {script.replace('_predict', '_train')} --weights weights.pt",
            ],
            "module_name": identifier(self.module.module_name),
            "class_name": identifier(self.module.class_name),
            "data_default": quote(f"{self.stem}.npz"),
            "data_help": quote(f"npz file with {', '.join(keys)}"),
            "keys": [(key, quote(key)) for key in keys],
            "conversions": input_rows(self.ends.inputs, self.module.inputs),
            "predict_lines": self.predict_lines(len(keys)),
            "predict_type": "Tensor" if len(heads) == 1 else "list[Tensor]",
            "many_outputs": len(heads) > 1,
            "summary_lines": summary_lines(self.module),
        }
        return environment().get_template("predict.py.jinja").render(context)

    def predict_doc(self) -> str:
        activations = [head.activation for head in self.step.heads]
        if activations == ["softmax"]:
            return "Class probabilities for every sample."
        if activations == ["sigmoid"]:
            return "Probabilities for every sample."
        return "What Keras's predict returns for every sample."

    def predict_lines(self, inputs: int) -> list[str]:
        results = []
        for head in self.step.heads:
            text = replace(head, prediction="@").probability
            order = head.permutation
            if order is not None and tuple(order) != tuple(range(head.rank)):
                inverse = [order.index(axis) for axis in range(head.rank)]
                text += f".permute({', '.join(map(str, inverse))})"
            results.append(text)
        if self.step.columns and self.data.streams:
            loop = "for batch in dataset"
            call = f"model(*(part.to(args.device) for part in to_tensors(batch)[:{inputs}]))"
        elif inputs == 1:
            loop = "for part in dataset.tensors[0].split(args.batch_size)"
            call = "model(part.to(args.device))"
        else:
            loop = f"for parts in zip(*(x.split(args.batch_size) for x in dataset.tensors[:{inputs}]), strict=True)"
            call = "model(*(part.to(args.device) for part in parts))"
        lines = [f"outputs = [{call} {loop}]"]
        if len(results) == 1:
            return [*lines, f"return {results[0].replace('@', 'torch.cat(outputs)')}.cpu()"]
        names = self.ends.predictions
        lines.append(
            f"{', '.join(names)} = (torch.cat(parts).cpu() for parts in zip(*outputs, strict=True))"
        )
        done = [text.replace("@", name) for name, text in zip(names, results)]
        return [*lines, f"return [{', '.join(done)}]"]


def title(text: str) -> str:
    """The docstring's first lines, none too long."""
    return "\n".join(textwrap.wrap(text, 96, break_long_words=False))
