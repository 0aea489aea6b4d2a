"""A shader call's arguments by type: what was written, else the declared default, else zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpuqueue.errors import SceneError
from gpuqueue.scene.declarations import BUILT_IN
from gpuqueue.scene.entities import Atom, Connection, Declaration, NamedShader, ShaderCall, Value
from gpuqueue.scene.textures.value import Color, Texture, as_number, limited

if TYPE_CHECKING:
    from gpuqueue.scene.document import Document

BLACK: Color = (0.0, 0.0, 0.0)

#: Larger values leave the range of 32-bit floats once they are multiplied.
LARGEST = 1e12


def find_shader(document: Document, name: str) -> ShaderCall | None:
    """Return the call that a shader's name, or ``"shader.member"``, stands for; None if unknown."""
    for _ in range(16):  # names of names
        entity = document.entities.get(name) or document.entities.get(name.rpartition(".")[0])
        if not isinstance(entity, NamedShader) or not entity.shaders:
            return None
        shader = entity.shaders[-1]
        if isinstance(shader, ShaderCall):
            return shader
        name = shader.name
    return None


@dataclass(frozen=True)
class Arguments:
    """Typed access to one call's arguments."""

    call: ShaderCall
    document: Document

    @property
    def declaration(self) -> Declaration | None:
        """The scene's declaration of the shader, else ours, else None."""
        type_name = self.call.type
        return self.document.declarations.get(type_name) or BUILT_IN.get(type_name)

    def check_names(self) -> None:
        """Warn about arguments that the shader does not have."""
        if self.raw("lights"):
            self.document.warnings(
                "light lists of shaders are ignored: every light shines on all", self.call.at
            )
        if self.declaration is None:
            return
        for name in self.call.arguments:
            if name not in self.declaration.types and self.call.type not in _OPEN:
                self.document.warnings(
                    f"'{self.call.type}' has no parameter '{name}'; it is ignored", self.call.at
                )

    def has(self, name: str) -> bool:
        """Whether the scene gives this argument."""
        return name in self.call.arguments

    def raw(self, name: str) -> Value | None:
        """Return the argument as written."""
        return self.call.arguments.get(name)

    def connected(self, name: str) -> str | None:
        """Return the name of the shader that the argument is connected to or names."""
        value = self.raw(name)
        if isinstance(value, Connection):
            return value.name
        if isinstance(value, tuple) and len(value) == 1 and isinstance(value[0], str):
            return value[0]
        return None

    def numbers(self, name: str, count: int) -> tuple[float, ...] | None:
        """Return up to `count` numbers; None if neither written nor declared."""
        value = self._constant(name)
        if value is None:
            return None
        numbers = [float(v) for v in value[:count] if isinstance(v, (bool, int, float))]
        if len(numbers) < min(count, len(value)) or len(numbers) not in (1, count):
            raise self._error(name, f"{count} number{'s' if count > 1 else ''}")
        if any(abs(number) > LARGEST for number in numbers):
            raise self._error(name, f"numbers up to {LARGEST:g}")
        return tuple(numbers)

    def _error(self, name: str, what: str) -> SceneError:
        return self.call.at.error(f"parameter '{name}' of '{self.call.type}' should be {what}")

    def _constant(self, name: str) -> tuple[Atom, ...] | None:
        default = self.declaration.defaults.get(name) if self.declaration else None
        value = self.raw(name)
        if isinstance(value, Connection):
            source = find_shader(self.document, value.name)
            if source is not None and source.type == "one_color":
                value = source.arguments.get("color")
            else:
                self._warn_connection(name, source)
                return default or (0.5,)
        if isinstance(value, tuple):
            return value
        if value is not None:
            raise self._error(name, "numbers")
        return default

    def _warn_connection(self, name: str, source: ShaderCall | None) -> None:
        what = f"shader '{source.type}'" if source else "unknown shader"
        self.document.warnings(
            f"parameter '{name}' is connected to {what}, which is not evaluated;"
            " its default, or 0.5, is used",
            self.call.at,
            topic=f"connection {name} {what}",
        )

    def color(self, name: str, default: Color = BLACK) -> Color:
        """Return a colour, never negative; one number is a grey."""
        numbers = self.numbers(name, 3)
        if numbers is None:
            return default
        r, g, b = (max(n, 0.0) for n in (numbers * 3 if len(numbers) == 1 else numbers))
        return r, g, b

    def varying(self, name: str, default: Color = BLACK) -> Color | Texture:
        """Return a colour, which may be a texture."""
        found = self.document.textures.connected(self, name)
        if found is None:
            return self.color(name, default)
        if found.is_constant:
            r, g, b = (max(channel, 0.0) for channel in found.mean[:3])
            return r, g, b
        return found

    def varying_fraction(self, name: str, default: float = 0.0) -> float | Texture:
        """Return a number between 0 and 1, which may be a texture."""
        found = self.document.textures.connected(self, name)
        if found is None:
            return self.fraction(name, default)
        if found.is_constant:
            return min(max(sum(found.mean[:3]) / 3, 0.0), 1.0)
        number = limited(as_number(found))
        return number if isinstance(number, Texture) else number[0]

    def scalar(self, name: str, default: float = 0.0) -> float:
        """Return a number."""
        numbers = self.numbers(name, 1)
        return default if numbers is None else numbers[0]

    def fraction(self, name: str, default: float = 0.0) -> float:
        """Return a number, held between 0 and 1."""
        return min(max(self.scalar(name, default), 0.0), 1.0)

    def boolean(self, name: str) -> bool:
        """Return a truth; numbers other than 0 are true."""
        return self.scalar(name) != 0.0


#: Shaders with many parameters of which we name only those that we use.
_OPEN = frozenset(
    name for name in BUILT_IN if name.startswith(("mia_", "adsk", "max_", "mib_illum"))
)
