"""Who is logged in: one login for one person, however many roles that person has."""

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils.translation import gettext_lazy as _


class UserManager(BaseUserManager["User"]):
    """Makes users; there is no superuser: what staff may do comes from their posts."""

    def create_user(self, username: str, password: str | None = None, **fields: object) -> "User":
        user = self.model(username=username, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(username=username)


class User(AbstractBaseUser):
    """A login. Staff log in by staff number; workers by ID number or phone (found by blind index).

    `password_given_at`: since when the password is one that an administrator chose (`accounts.services.set_password`); none: the
    person's own. `email` is where notices may go (sealed; nobody must have one); `language` is the one chosen last, in which notices are
    written.
    """

    username = models.CharField(_("登录名"), max_length=40, unique=True)
    display_name = models.CharField(_("姓名"), max_length=60)
    id_hash = models.BinaryField(max_length=32, null=True, unique=True, editable=False)
    phone_hash = models.BinaryField(max_length=32, null=True, db_index=True, editable=False)
    email = models.BinaryField(null=True, editable=False)
    language = models.CharField(max_length=10, default="zh-hans")
    is_active = models.BooleanField(_("可登录"), default=True)
    password_given_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    # The second factor (`accounts.second_factor`): its sealed key, since when it counts, and the last time step that was taken.
    totp_key = models.BinaryField(null=True, editable=False)
    totp_since = models.DateTimeField(null=True, editable=False)
    totp_last = models.BigIntegerField(default=0, db_default=0, editable=False)

    objects = UserManager()
    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["display_name"]

    class Meta:
        verbose_name = _("账号")
        verbose_name_plural = _("账号")

    def __str__(self) -> str:
        return self.display_name

    @property
    def has_second_factor(self) -> bool:
        """Is a code asked for beside the password?"""
        return self.totp_since is not None

    def get_short_name(self) -> str:
        """The name the desk greets people by."""
        return self.display_name


class Proof(models.Model):
    """One try to prove again who one is before money leaves (`accounts.stepup`), right or wrong. Never changed or removed."""

    append_only = True

    user = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    session_hash = models.BinaryField(max_length=32)
    passed = models.BooleanField()
    at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        verbose_name = _("身份再核实")
        indexes = [models.Index(fields=["user", "at"], name="proof_of_user")]
