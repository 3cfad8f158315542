<%@ tag description="Bars, if there are any: a table for those who listen." pageEncoding="UTF-8" trimDirectiveWhitespaces="true" %>
<%@ attribute name="caption" required="true" %>
<%@ attribute name="label" required="true" %>
<%@ taglib prefix="c" uri="jakarta.tags.core" %>
<c:if test="${not empty bars}">
<table class="bars">
<caption><c:out value="${caption}" /></caption>
<thead><tr><th scope="col"><c:out value="${label}" /></th><th scope="col" class="share">Probability</th></tr></thead>
<tbody>
<c:forEach var="bar" items="${bars}"><tr>
<th scope="row"><c:out value="${bar.label()}" /></th>
<td><svg class="bar" aria-hidden="true" focusable="false"><rect class="track" width="100%" height="100%" rx="4"/><rect class="value" width="${bar.percent()}%" height="100%" rx="4"/></svg>
<span class="percent">${bar.text()}</span></td>
</tr>
</c:forEach></tbody>
</table>
</c:if>
