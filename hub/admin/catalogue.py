"""Resources and what hangs on them; themes, collections, sources."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import QuerySet
from django.forms import BaseModelFormSet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from hub import notices, objects
from hub.imports import cleaning
from hub.models import (
    Collection,
    Edition,
    NoticeKind,
    PublicState,
    Resource,
    ResourceIdentifier,
    ResourceTheme,
    ResourceTranslation,
    StoredFile,
    Theme,
)

from .forms import HubModelAdmin, NotesField
from .generic import ModelForm, StackedInline, TabularInline


class ThemeLinks(TabularInline[ResourceTheme, Resource]):
    model = ResourceTheme
    extra = 0
    verbose_name_plural = _("themes (position 0 is the primary one)")


class Identifiers(TabularInline[ResourceIdentifier, Resource]):
    model = ResourceIdentifier
    extra = 0


class Translations(StackedInline[ResourceTranslation, Resource]):
    model = ResourceTranslation
    extra = 0


class EditionForm(ModelForm[Edition]):
    class Meta:
        model = Edition
        fields = ["lang", "format", "body"]
        widgets = {"body": forms.Textarea(attrs={"rows": 16, "cols": 100})}

    def clean(self) -> dict[str, Any] | None:
        """HTML is made safe here, once, before it is published to everybody."""
        data = super().clean()
        if data and data.get("format") == Edition.Format.HTML and data.get("body"):
            data["body"] = cleaning.safe_html(data["body"])
        return data


class Editions(StackedInline[Edition, Resource]):
    model = Edition
    form = EditionForm
    extra = 0


class FileForm(ModelForm[StoredFile]):
    upload = forms.FileField(label=_("file"), required=False)

    class Meta:
        model = StoredFile
        fields = ["name", "media_type"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("name", "media_type"):
            self.fields[name].required = False
            self.fields[name].help_text = _("Left empty, the file's own is taken.")

    def clean(self) -> dict[str, Any] | None:
        """Put the bytes into the object store; they are named by their hash from then on."""
        data = super().clean()
        upload = data.get("upload") if data else None
        if isinstance(upload, UploadedFile):
            stored = _store(upload)
            self.instance.hash, self.instance.size = stored.hash, stored.size
            given = Path((upload.name or "").replace("\\", "/")).name
            assert data is not None
            data["name"] = data.get("name") or cleaning.line(given, 300) or "file"
            data["media_type"] = data.get("media_type") or upload.content_type or "application/octet-stream"
        elif not self.instance.hash:
            raise forms.ValidationError(_("Choose a file."))
        return data


def _store(upload: UploadedFile[Any]) -> objects.StoredObject:
    with tempfile.NamedTemporaryFile() as temporary:
        for chunk in upload.chunks():
            temporary.write(chunk)
        temporary.flush()
        return objects.put_file(Path(temporary.name))


class Files(TabularInline[StoredFile, Resource]):
    model = StoredFile
    form = FileForm
    extra = 0
    fields = ["upload", "name", "media_type", "size"]
    readonly_fields = ["size"]


class ResourceForm(ModelForm[Resource]):
    notice_note = NotesField(label=_("why, by language"), required=False)

    def clean(self) -> dict[str, Any] | None:
        """A notice is whole, and has a day."""
        data = super().clean() or {}
        resource = Resource(
            pk=self.instance.pk,
            notice_kind=data.get("notice_kind") or "",
            notice_note=data.get("notice_note") or {},
            notice_by=data.get("notice_by"),
        )
        if not self.errors:
            notices.check(resource)
        if data.get("notice_kind") and not data.get("notice_since"):
            data["notice_since"] = timezone.localdate()
        return data


@admin.register(Resource)
class ResourceAdmin(HubModelAdmin[Resource]):
    form = ResourceForm
    list_display = ["title", "state", "lang", "year", "resource_type", "updated"]
    list_filter = [
        "state",
        "notice_kind",
        "lang",
        ("themes", admin.RelatedOnlyFieldListFilter),
        "resource_type",
        "year",
        "policy_cycle",
        "sample",
        "source",
    ]
    search_fields = ["title", "summary", "publisher", "id", "identifiers__value"]
    search_help_text = _("Title, summary, publisher, id, DOI, ISBN or ERIC number")
    actions = ["publish", "mark_corrected", "mark_withdrawn", "unmark", "withdraw"]
    inlines = [ThemeLinks, Translations, Editions, Files, Identifiers]
    autocomplete_fields = ["collections", "notice_by"]
    readonly_fields = ["id", "source", "created", "updated", "said"]
    fieldsets = [
        (None, {"fields": ["title", "summary", "lang", "state"]}),
        (_("Origin"), {"fields": ["authors", "publisher", "year", "url", "licence", "redistributable"]}),
        (
            _("Subject"),
            {"fields": ["resource_type", "policy_cycle", "countries", "subjects", "collections"]},
        ),
        (
            _("What became of it"),
            {
                "description": _("Shelves say it above the text, in lists, and where it is cited."),
                "fields": ["notice_kind", "notice_by", "notice_note", "notice_since", "said"],
            },
        ),
        (
            _("Record"),
            {
                "classes": ["collapse"],
                "fields": ["id", "source", "sample", "bibliographic", "extra", "created", "updated"],
            },
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Resource]:
        return super().get_queryset(request).prefetch_related("resourcetheme_set__theme")

    @admin.display(description=_("primary theme"))
    def primary_theme(self, resource: Resource) -> str:
        links = sorted(resource.resourcetheme_set.all(), key=lambda link: link.position)
        return str(links[0].theme) if links else "–"

    @admin.display(description=_("shelves say"))
    def said(self, resource: Resource) -> str:
        """The notice in words, as it was saved last."""
        note = " / ".join(resource.notice_note.values())
        return f"{notices.words(resource)} {note}".strip() or "–"

    def save_model(self, request: HttpRequest, obj: Resource, form: ModelForm[Resource], change: bool) -> None:
        super().save_model(request, obj, form, change)
        if any(name.startswith("notice_") for name in form.changed_data):
            self.note(request, obj.notice_kind or "notice-taken-back", [obj])

    @admin.action(description=_("Mark as corrected"), permissions=["change"])
    def mark_corrected(self, request: HttpRequest, queryset: QuerySet[Resource]) -> None:
        self._mark(request, queryset, NoticeKind.CORRECTED)

    @admin.action(description=_("Mark as withdrawn: the record stays, texts and files go"), permissions=["change"])
    def mark_withdrawn(self, request: HttpRequest, queryset: QuerySet[Resource]) -> None:
        self._mark(request, queryset, NoticeKind.WITHDRAWN)

    @admin.action(description=_("Take such marks back"), permissions=["change"])
    def unmark(self, request: HttpRequest, queryset: QuerySet[Resource]) -> None:
        self._mark(request, queryset, None)

    def _mark(self, request: HttpRequest, queryset: QuerySet[Resource], kind: NoticeKind | None) -> None:
        """Give the resources a notice without a note, or take theirs; the form of each has room for words."""
        said = {"notice_kind": kind or "", "notice_since": timezone.localdate() if kind else None}
        emptied: dict[str, Any] = {} if kind else {"notice_by": None, "notice_note": {}}
        with transaction.atomic():
            changing = list(queryset.exclude(notice_kind=kind or "").only("id"))
            Resource.objects.filter(pk__in=[row.pk for row in changing]).update(
                **said, **emptied, updated=timezone.now()
            )
            self.note(request, kind or "notice-taken-back", changing)
        text = ngettext(
            "%(count)d resource was marked. Publish the hub for shelves to say so.",
            "%(count)d resources were marked. Publish the hub for shelves to say so.",
            len(changing),
        )
        self.message_user(request, text % {"count": len(changing)}, messages.SUCCESS)

    @admin.action(description=_("Publish the selected resources"), permissions=["change"])
    def publish(self, request: HttpRequest, queryset: QuerySet[Resource]) -> None:
        self._set_state(request, queryset, PublicState.PUBLISHED, "published")

    @admin.action(description=_("Delete the selected resources from every shelf"), permissions=["change"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[Resource]) -> None:
        self._set_state(request, queryset, PublicState.WITHDRAWN, "withdrawn")

    def _set_state(
        self, request: HttpRequest, queryset: QuerySet[Resource], state: PublicState, what: str
    ) -> None:
        with transaction.atomic():
            changing = list(queryset.exclude(state=state).only("id"))
            Resource.objects.filter(pk__in=[row.pk for row in changing]).update(
                state=state, updated=timezone.now()
            )
            self.note(request, what, changing)
        count = len(changing)
        text = ngettext(
            "%(count)d resource is now %(state)s. Publish the hub for shelves to get it.",
            "%(count)d resources are now %(state)s. Publish the hub for shelves to get them.",
            count,
        )
        self.message_user(request, text % {"count": count, "state": state.label}, messages.SUCCESS)

    def save_formset(
        self,
        request: HttpRequest,
        form: Any,
        formset: BaseModelFormSet[Any, ModelForm[Any]],
        change: bool,
    ) -> None:
        """A text edition that was changed is newer for its readers."""
        for instance in formset.save(commit=False):
            if isinstance(instance, Edition):
                instance.updated = timezone.now()
        super().save_formset(request, form, formset, change)


@admin.register(Theme)
class ThemeAdmin(HubModelAdmin[Theme]):
    list_display = ["__str__", "id", "scheme", "position", "state"]
    list_filter = ["scheme", "state"]
    search_fields = ["id", "labels"]


@admin.register(Collection)
class CollectionAdmin(HubModelAdmin[Collection]):
    list_display = ["name"]
    search_fields = ["name"]
