"""The texts a supplement letter (补件通知) may begin with; who sends it edits them. An office adds its own (`models.Letter`)."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from claims.selectors.rules import letters_for
from programs.rules.facts import HARDSHIP
from unionaid.offices.models import Office

Letter = tuple[str | Promise, str | Promise]
UNREADABLE: Letter = (_("照片看不清"), _("您上传的材料有几处看不清，请在光线好的地方平铺拍照，四角拍全，重新上传。"))
ACCOUNT: Letter = (_("收款账户要核对"), _("请核对收款账户：户名要和申领人姓名一致，并重新填写银行卡号。"))
OF_ILLNESS: tuple[Letter, ...] = (
    UNREADABLE,
    (_("缺结算单"), _("请补充医保结算单（出院结算清单），可以在医院窗口或医保小程序里打印、截图。")),
    (_("缺出院记录"), _("请补充出院记录或出院小结，要有诊断和入院、出院日期，并有医院盖章。")),
    (_("缺票据"), _("请补充住院收费票据；电子票据请上传原文件，纸质票据请拍清票据号码。")),
    (_("缺诊断证明或病理报告"), _("请补充诊断证明；确诊重大疾病的，请补充病理报告。")),
    ACCOUNT,
    (_("金额对不上"), _("您填写的金额和结算单不一致，请对照结算单逐项核对后重新填写。")),
)
OF_HARDSHIP: tuple[Letter, ...] = (
    UNREADABLE,
    (_("缺困难证明"), _("请补充困难职工档案或困难认定证明，要有单位工会或街道、社区盖章。")),
    (_("缺证明申报数的材料"), _("请补充能证明您申报的人数或金额的材料，例如在读证明、录取通知书、借款合同、劳动合同。")),
    (_("申报的数对不上"), _("您申报的人数或金额和材料不一致，请对照材料核对后重新填写。")),
    ACCOUNT,
)


def letters_of(office: Office, event: str) -> list[Letter]:
    """(name, text): the office's own and those of the offices above it first, then the common ones for this kind of event. One
    statement."""
    return [*letters_for(office).values_list("title", "text"), *(OF_HARDSHIP if event == HARDSHIP else OF_ILLNESS)]
