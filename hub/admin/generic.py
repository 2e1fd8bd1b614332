"""Django's admin classes under names that can be subscripted, ``ModelAdmin[Resource]``, for the type checker.

Django's own only can after a patch of Django at start-up, which django-stubs ships for development.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin, StackedInline, TabularInline
    from django.forms import ModelForm
else:
    from django import forms
    from django.contrib import admin

    class _Subscriptable:
        def __class_getitem__(cls, _key: Any) -> Any:
            return cls

    class ModelAdmin(_Subscriptable, admin.ModelAdmin):
        pass

    class StackedInline(_Subscriptable, admin.StackedInline):
        pass

    class TabularInline(_Subscriptable, admin.TabularInline):
        pass

    class ModelForm(_Subscriptable, forms.ModelForm):
        pass


__all__ = ["ModelAdmin", "ModelForm", "StackedInline", "TabularInline"]
