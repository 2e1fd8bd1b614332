"""Form fields that people can use where the database keeps JSON lists; and the base of every admin here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from django import forms
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from hub import audit, notices
from hub.imports import cleaning

from .generic import ModelAdmin, ModelForm

M = TypeVar("M", bound=models.Model)


class LinesField(forms.CharField):
    """A list of texts, one a line."""

    widget = forms.Textarea(attrs={"rows": 3, "cols": 60})

    def __init__(self, **options: Any) -> None:
        options.setdefault("help_text", _("One a line."))
        super().__init__(**options)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(str(member) for member in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return cleaning.lines((super().to_python(value) or "").split("\n"))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool((initial or []) != self.to_python(data))


class NotesField(forms.CharField):
    """A text by language, each on a line that begins with its tag."""

    widget = forms.Textarea(attrs={"rows": 3, "cols": 60})

    def __init__(self, **options: Any) -> None:
        options.setdefault("help_text", _("One language a line, like “en: The table on page 12 was wrong.”"))
        super().__init__(**options)

    def prepare_value(self, value: Any) -> Any:
        return notices.note_lines(value) if isinstance(value, dict) else value

    def to_python(self, value: Any) -> Any:
        return notices.checked_note(super().to_python(value) or "")

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool((initial or {}) != self.to_python(data))
        except forms.ValidationError:
            return True


class HubModelAdmin(ModelAdmin[M]):
    """Lists as lines; ``updated`` follows what facilitators do; every change is in the audit trail."""

    list_per_page = 50

    def formfield_for_dbfield(
        self, db_field: models.Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> forms.Field | None:
        if isinstance(db_field, models.JSONField) and db_field.default is list:
            return LinesField(label=str(db_field.verbose_name).capitalize(), required=False)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: M, form: ModelForm[M], change: bool) -> None:
        if hasattr(obj, "updated"):
            obj.updated = timezone.now()
        super().save_model(request, obj, form, change)
        self.note(request, "changed" if change else "added", [obj])

    def delete_model(self, request: HttpRequest, obj: M) -> None:
        self.note(request, "erased", [obj])
        super().delete_model(request, obj)

    def note(self, request: HttpRequest, what: str, objects: Sequence[models.Model]) -> None:
        """Write what a facilitator did into the audit trail."""
        for entry in objects:
            audit.record(f"{entry._meta.model_name}-{what}", actor=actor(request), target=str(entry.pk))


class ReadOnlyAdmin(HubModelAdmin[M]):
    """For what only the hub writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False


def actor(request: HttpRequest) -> str:
    """Who acts, for the audit trail."""
    return request.user.get_username()


def shown_name(request: HttpRequest) -> str:
    """The name under which this facilitator's answers appear."""
    user = request.user
    full = user.get_full_name() if hasattr(user, "get_full_name") else ""
    return full or str(_("Facilitation team"))
