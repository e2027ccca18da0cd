"""The texts a supplement letter (补件通知) may begin with; who sends it edits them. An office adds its own (`models.Letter`)."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from claims.selectors.rules import letters_for
from unionaid.offices.models import Office

COMMON: tuple[tuple[str | Promise, str | Promise], ...] = (
    (_("照片看不清"), _("您上传的材料有几处看不清，请在光线好的地方平铺拍照，四角拍全，重新上传。")),
    (_("缺结算单"), _("请补充医保结算单（出院结算清单），可以在医院窗口或医保小程序里打印、截图。")),
    (_("缺出院记录"), _("请补充出院记录或出院小结，要有诊断和入院、出院日期，并有医院盖章。")),
    (_("缺票据"), _("请补充住院收费票据；电子票据请上传原文件，纸质票据请拍清票据号码。")),
    (_("缺诊断证明或病理报告"), _("请补充诊断证明；确诊重大疾病的，请补充病理报告。")),
    (_("收款账户要核对"), _("请核对收款账户：户名要和申领人姓名一致，并重新填写银行卡号。")),
    (_("金额对不上"), _("您填写的金额和结算单不一致，请对照结算单逐项核对后重新填写。")),
)


def letters_of(office: Office) -> list[tuple[str | Promise, str | Promise]]:
    """(name, text): the office's own and those of the offices above it first, then the common ones. One statement."""
    return [*letters_for(office).values_list("title", "text"), *COMMON]
